"""Alembic runs this with the connection that Database.migrate puts into the config."""

from alembic import context

from recommender.stores.postgres.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
