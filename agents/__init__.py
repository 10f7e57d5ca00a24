"""The agents of the hunt: scanner, ensemble and its members, planner, messaging.

Imports ``framework`` and ``models``; ``agents.assemble`` builds the real set from settings.
"""
