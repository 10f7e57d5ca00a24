"""What all routes of the API share: parameters, answers, and the errors that they may meet."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import HTTPException, Path, Query
from pydantic import BaseModel

Responses = dict[int | str, dict[str, Any]]
_Record = TypeVar("_Record")

Identity = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
Limit = Annotated[int, Query(ge=1, le=200, description="how many at most")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="how many to leave out first")]
Search = Annotated[str | None, Query(max_length=200, description="words of the title")]

UNKNOWN: Responses = {404: {"description": "Unknown"}}
# What any route may answer, before its own work begins or because the database is gone.
EVERYWHERE: Responses = {
    400: {"description": "The body is no JSON"},
    401: {"description": "Log in, or send a token as Bearer"},
    403: {"description": "The request was made by another site's page"},
    413: {"description": "The body is too long"},
    503: {"description": "The database does not answer"},
}


class Said(BaseModel):
    """What an act came to, in one sentence."""

    said: str


def found(record: _Record | None, what: str) -> _Record:
    """The record; 404 where there is none."""
    if record is None:
        raise HTTPException(404, f"There is no such {what}")
    return record
