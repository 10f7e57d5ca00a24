"""All outbound HTTP of our own code: polite, bounded, and to public addresses only.

::

    client.py  --one request, redirects-->  politeness.py   one at a time per host, with a gap
                                            connect.py      resolve once, check, connect to what was checked
                                            body.py         byte cap, also after decompression
    addresses.py   which addresses are public            translate.py   httpcore2's errors into ours
"""

from framework.http.client import HttpClient, Response

__all__ = ["HttpClient", "Response"]
