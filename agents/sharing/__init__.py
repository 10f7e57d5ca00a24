"""Several daemons on one PostgreSQL share their work through procrastinate: its queue, locks, retries and clock.

::

    share_out (by the clock) --> poll (one per host) --> share_out --> read (one per host) --> share_out
                                                                       --> appraise (batches) --> deliver

Only ``share_out`` defers the jobs of a hunt, and one runs at a time, so that nothing is given out twice. The memory's
rows say what is done; a job only says who is at it. This package is the one owner of procrastinate.
"""
