"""The first tables.

Everything of the first release. There is no earlier one to run beside it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_account()
    _create_run_executor()
    _create_workspace()
    _create_account_session()
    _create_app()
    _create_app_import()
    _create_default_model()
    _create_membership()
    _create_provider_credential()
    _create_provider_model()
    _create_api_key()
    _create_app_version()
    _create_conversation()
    _create_end_user()
    _create_run()
    _create_stored_file()
    _create_conversation_variable()
    _create_message()
    _create_run_event_batch()
    _create_feedback()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _owner(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """Rows go when what they belong to goes."""
    name = f"fk_{table}_{column}_{target.split('.')[0]}"
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete="CASCADE")


def _create_account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("theme", sa.String(16), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("email", name="uq_account_email"),
    )


def _create_run_executor() -> None:
    op.create_table(
        "run_executor",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started_at", sa.Double(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run_executor"),
    )


def _create_workspace() -> None:
    op.create_table(
        "workspace",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspace"),
    )


def _create_account_session() -> None:
    op.create_table(
        "account_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        _owner("account_session", "account_id", "account.id"),
        sa.PrimaryKeyConstraint("id", name="pk_account_session"),
        sa.UniqueConstraint("digest", name="uq_account_session_digest"),
    )
    op.create_index("ix_account_session_account_id", "account_session", ["account_id"])


def _create_app() -> None:
    op.create_table(
        "app",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("icon", sa.String(255), nullable=False),
        sa.Column("icon_background", sa.String(32), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("model_refs", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("published_version_id", sa.Uuid(), nullable=True),
        sa.Column("published_revision", sa.Integer(), nullable=True),
        sa.Column("api_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("app", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_app"),
    )
    op.create_index("ix_app_workspace_id", "app", ["workspace_id"])


def _create_app_import() -> None:
    op.create_table(
        "app_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        _owner("app_import", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_app_import"),
    )
    op.create_index("ix_app_import_workspace_id", "app_import", ["workspace_id"])


def _create_default_model() -> None:
    op.create_table(
        "default_model",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("default_model", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_default_model"),
        sa.UniqueConstraint("workspace_id", "kind", name="uq_default_model_workspace_id_kind"),
    )


def _create_membership() -> None:
    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("membership", "account_id", "account.id"),
        _owner("membership", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_membership"),
        sa.UniqueConstraint("workspace_id", "account_id", name="uq_membership_workspace_id_account_id"),
    )
    op.create_index("ix_membership_account_id", "membership", ["account_id"])


def _create_provider_credential() -> None:
    op.create_table(
        "provider_credential",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("hint", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("provider_credential", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_provider_credential"),
        sa.UniqueConstraint("workspace_id", "provider", name="uq_provider_credential_workspace_id_provider"),
    )


def _create_provider_model() -> None:
    op.create_table(
        "provider_model",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("window_tokens", sa.Integer(), nullable=False),
        sa.Column("max_output_tokens", sa.Integer(), nullable=True),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("provider_model", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_provider_model"),
        sa.UniqueConstraint("workspace_id", "provider", "name", name="uq_provider_model_workspace_id_provider_name"),
    )


def _create_api_key() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("hint", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("api_key", "app_id", "app.id"),
        _owner("api_key", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("digest", name="uq_api_key_digest"),
    )
    op.create_index("ix_api_key_app_id", "api_key", ["app_id"])
    op.create_index("ix_api_key_workspace_id", "api_key", ["workspace_id"])


def _create_app_version() -> None:
    op.create_table(
        "app_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        _owner("app_version", "app_id", "app.id"),
        _owner("app_version", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_app_version"),
        sa.UniqueConstraint("app_id", "number", name="uq_app_version_app_id_number"),
    )
    op.create_index("ix_app_version_workspace_id", "app_version", ["workspace_id"])


def _create_conversation() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("surface", sa.String(20), nullable=False),
        sa.Column("end_user_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("introduction", sa.Text(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("turn_count", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("conversation", "app_id", "app.id"),
        _owner("conversation", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_conversation"),
    )
    op.create_index("ix_conversation_owner", "conversation", ["app_id", "end_user_id", "updated_at"])
    op.create_index("ix_conversation_workspace_id", "conversation", ["workspace_id"])


def _create_end_user() -> None:
    op.create_table(
        "end_user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("surface", sa.String(20), nullable=False),
        sa.Column("session_id", sa.String(255), nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("end_user", "app_id", "app.id"),
        _owner("end_user", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_end_user"),
        sa.UniqueConstraint("app_id", "surface", "session_id", name="uq_end_user_app_id_surface_session_id"),
    )
    op.create_index("ix_end_user_workspace_id", "end_user", ["workspace_id"])


def _create_run() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("executor_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(20), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("end_user_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("outputs", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("error_type", sa.String(100), nullable=True),
        sa.Column("elapsed_s", sa.Double(), nullable=True),
        sa.Column("total_tokens", sa.Integer(), nullable=False),
        sa.Column("total_steps", sa.Integer(), nullable=False),
        sa.Column("exceptions_count", sa.Integer(), nullable=False),
        sa.Column("total_price", sa.String(40), nullable=False),
        sa.Column("currency", sa.String(10), nullable=False),
        sa.Column("trace_id", sa.String(128), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        _owner("run", "app_id", "app.id"),
        _owner("run", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_index("ix_run_app_id_created_at", "run", ["app_id", "created_at"])
    op.create_index("ix_run_conversation_id", "run", ["conversation_id"])
    op.create_index("ix_run_status_executor_id", "run", ["status", "executor_id"])
    op.create_index("ix_run_workspace_id", "run", ["workspace_id"])


def _create_stored_file() -> None:
    op.create_table(
        "stored_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("is_by_account", sa.Boolean(), nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("extension", sa.String(20), nullable=False),
        sa.Column("mime_type", sa.String(255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("attached_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("stored_file", "app_id", "app.id"),
        _owner("stored_file", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_stored_file"),
        sa.UniqueConstraint("key", name="uq_stored_file_key"),
    )
    op.create_index("ix_stored_file_app_id", "stored_file", ["app_id"])
    op.create_index("ix_stored_file_workspace_id", "stored_file", ["workspace_id"])


def _create_conversation_variable() -> None:
    op.create_table(
        "conversation_variable",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("value_type", sa.String(40), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("conversation_variable", "app_id", "app.id"),
        _owner("conversation_variable", "conversation_id", "conversation.id"),
        _owner("conversation_variable", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_conversation_variable"),
        sa.UniqueConstraint("conversation_id", "name", name="uq_conversation_variable_conversation_id_name"),
    )
    op.create_index("ix_conversation_variable_app_id", "conversation_variable", ["app_id"])
    op.create_index("ix_conversation_variable_conversation_id", "conversation_variable", ["conversation_id"])
    op.create_index("ix_conversation_variable_workspace_id", "conversation_variable", ["workspace_id"])


def _create_message() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("end_user_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answer_files", sa.Text(), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("usage", sa.Text(), nullable=True),
        sa.Column("elapsed_s", sa.Double(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        _owner("message", "app_id", "app.id"),
        _owner("message", "conversation_id", "conversation.id"),
        _owner("message", "run_id", "run.id"),
        _owner("message", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
    )
    op.create_index("ix_message_app_id", "message", ["app_id"])
    op.create_index("ix_message_conversation_id_created_at", "message", ["conversation_id", "created_at"])
    op.create_index("ix_message_run_id", "message", ["run_id"])
    op.create_index("ix_message_workspace_id", "message", ["workspace_id"])


def _create_run_event_batch() -> None:
    op.create_table(
        "run_event_batch",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        _owner("run_event_batch", "run_id", "run.id"),
        sa.PrimaryKeyConstraint("run_id", "first_seq", name="pk_run_event_batch"),
    )


def _create_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("end_user_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("rating", sa.String(10), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        _owner("feedback", "app_id", "app.id"),
        _owner("feedback", "message_id", "message.id"),
        _owner("feedback", "workspace_id", "workspace.id"),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.UniqueConstraint("message_id", "account_id", name="uq_feedback_message_id_account_id"),
        sa.UniqueConstraint("message_id", "end_user_id", name="uq_feedback_message_id_end_user_id"),
    )
    op.create_index("ix_feedback_app_id", "feedback", ["app_id"])
    op.create_index("ix_feedback_workspace_id", "feedback", ["workspace_id"])


TABLES = (
    "account",
    "run_executor",
    "workspace",
    "account_session",
    "app",
    "app_import",
    "default_model",
    "membership",
    "provider_credential",
    "provider_model",
    "api_key",
    "app_version",
    "conversation",
    "end_user",
    "run",
    "stored_file",
    "conversation_variable",
    "message",
    "run_event_batch",
    "feedback",
)
