"""Indexes for the dashboard's filters: by feed, and the order by discount in percent."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Add them."""
    op.create_index("ix_opportunities_discount_pct", "opportunities", ["discount_pct"], unique=False)
    op.create_index("ix_sources_feed_url", "sources", ["feed_url"], unique=False)
