"""Runs migrations on the connection that `monitor.store.migrate` hands over; never from a file of settings."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True, render_as_batch=True)
context.run_migrations()
