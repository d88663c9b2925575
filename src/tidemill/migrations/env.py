"""How Alembic runs the history: on the connection it is handed, inside that connection's transaction."""

from alembic import context

from tidemill.migrations.schema import VERSION_TABLE
from tidemill.migrations.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
