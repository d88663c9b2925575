"""Tools of a workspace.

New tables only: the previous release runs unchanged beside them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "tool_provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("label", sa.String(255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("hint", sa.String(64), nullable=False),
        sa.Column("tools", sa.Text(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("tool_provider", "workspace_id", "workspace.id"),
        _owner("tool_provider", "app_id", "app.id"),
        sa.PrimaryKeyConstraint("id", name="pk_tool_provider"),
        sa.UniqueConstraint("workspace_id", "kind", "name", name="uq_tool_provider_workspace_id_kind_name"),
    )
    op.create_index("ix_tool_provider_app_id", "tool_provider", ["app_id"])
    op.create_table(
        "tool_credential",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("hint", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("tool_credential", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_tool_credential"),
        sa.UniqueConstraint("workspace_id", "provider", name="uq_tool_credential_workspace_id_provider"),
    )


def downgrade() -> None:
    op.drop_table("tool_credential")
    op.drop_table("tool_provider")


def _owner(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """Rows go when what they belong to goes."""
    name = f"fk_{table}_{column}_{target.split('.')[0]}"
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete="CASCADE")
