"""The price at which the owner was told of an opportunity, and ways to find one by its entry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0005"


def upgrade() -> None:
    """Add it; where it is empty, the present price stands for it."""
    op.create_index("ix_opportunities_entry_id", "opportunities", ["entry_id"])
    op.create_index("ix_sources_entry_id", "sources", ["entry_id"])
    op.add_column("opportunities", sa.Column("alerted_price", sa.BigInteger(), nullable=True))
