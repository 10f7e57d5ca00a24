"""Small forms: what a browser posted, read within bounds."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import Request

_LONGEST = 4_096  # bytes of a form
_MOST_FIELDS = 10


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a posted form, each name's first value; empty where it is longer than any form of ours."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LONGEST:
            return {}
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
    except ValueError:  # more fields than a form of ours has
        return {}
    return {name: values[0] for name, values in fields.items()}
