"""Alembic's entry: run the migrations on the connection that ``framework.memory.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from framework.memory.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can, since our transactions begin explicitly: a migration is all or nothing
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
