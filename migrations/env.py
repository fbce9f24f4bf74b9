"""Alembic's entry: runs on the connection that `ehr.store.migrate` hands over."""

from alembic import context

from auth.models import metadata as auth_metadata
from ehr.store.tables import metadata as record_metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[record_metadata, auth_metadata],
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
