"""Alembic's environment: runs on the connection it is given, on either database."""

from alembic import context

from shared.db.tables import KIT

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=KIT,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
