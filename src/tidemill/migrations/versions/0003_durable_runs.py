"""What it takes to go on with a run.

A run's row keeps what it began with and who holds it; drafts are kept as they were when a run began.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_snapshot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name="fk_run_snapshot_workspace_id_workspace", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name="fk_run_snapshot_app_id_app", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_run_snapshot"),
    )
    op.create_index("ix_run_snapshot_workspace_id", "run_snapshot", ["workspace_id"])
    op.create_index("ix_run_snapshot_app_id", "run_snapshot", ["app_id"])
    with op.batch_alter_table("run") as batch:
        batch.add_column(sa.Column("snapshot_id", sa.Uuid(), nullable=True))
        batch.alter_column("executor_id", existing_type=sa.Uuid(), nullable=True)
        batch.add_column(sa.Column("generation", sa.Integer(), nullable=False, server_default="1"))
        batch.add_column(sa.Column("losses", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("lost_at_seq", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("stop_reason", sa.Text(), nullable=True))
        batch.add_column(sa.Column("forked_from", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("began_with", sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("run") as batch:
        # The defaults were for the rows that were there.
        for name in ("generation", "losses", "lost_at_seq"):
            batch.alter_column(name, existing_type=sa.Integer(), existing_nullable=False, server_default=None)
        batch.create_index("ix_run_task_id", ["task_id"])


def downgrade() -> None:
    # What waits for a process or a person cannot go on without what is dropped here.
    op.execute(
        "UPDATE run SET status = 'failed', error = 'The database was brought back to an older release.' "
        "WHERE executor_id IS NULL AND status IN ('running', 'paused')"
    )
    op.execute("UPDATE run SET executor_id = id WHERE executor_id IS NULL")
    with op.batch_alter_table("run") as batch:
        batch.drop_index("ix_run_task_id")
        for name in ("began_with", "forked_from", "stop_reason", "lost_at_seq", "losses", "generation", "snapshot_id"):
            batch.drop_column(name)
        batch.alter_column("executor_id", existing_type=sa.Uuid(), nullable=False)
    op.drop_table("run_snapshot")
