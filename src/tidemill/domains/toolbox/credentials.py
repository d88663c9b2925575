"""Credentials of built-in tool providers."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.toolbox.errors import ToolProviderNotFound, ToolRefused
from tidemill.domains.toolbox.models import ToolCredential
from tidemill.domains.toolbox.port import ToolRegistry
from tidemill.domains.toolbox.secrets import hint_of
from tidemill.domains.workspaces.permissions import Member, Scoped
from tidemill.tools import builtin


async def save(
    db: AsyncSession, member: Member, registry: ToolRegistry, provider: str, given: Mapping[str, str]
) -> None:
    """Store a built-in provider's credentials, encrypted. A secret left empty keeps the stored one.

    Raises:
        ToolProviderNotFound: There is no such provider.
        ToolRefused: A required field is missing, or a field is unknown.
    """
    found = provider_of(provider)
    fields = {field.name: field for field in found.credential_fields}
    if unknown := sorted(given.keys() - fields.keys()):
        known = ", ".join(fields) or "none"
        raise ToolRefused(f"{found.label} has no credential {unknown[0]}. Its fields: {known}.", params=unknown[0])
    stored = (await registry.shelf(member.workspace_id, db)).credentials.get(found.name, {})
    values: dict[str, str] = {}
    for name, field in fields.items():
        kept = stored.get(name, "") if field.is_secret or name not in given else ""
        if value := given.get(name, "").strip() or kept or field.default:
            values[name] = value
        elif field.is_required:
            raise ToolRefused(f"{found.label} needs {field.label}. Fill it in and save again.", params=name)
    row = await _credential(db, member, found.name)
    if row is None:
        row = ToolCredential(workspace_id=member.workspace_id, provider=found.name)
        db.add(row)
    row.secrets = registry.seal(member.workspace_id, values)
    row.hint = hint_of({"env": {name: value for name, value in values.items() if fields[name].is_secret}})
    await db.flush()
    registry.forget(member.workspace_id)


async def delete(db: AsyncSession, member: Member, registry: ToolRegistry, provider: str) -> None:
    """Forget a built-in provider's credentials."""
    await db.execute(
        sql_delete(ToolCredential).where(
            ToolCredential.workspace_id == member.workspace_id,
            ToolCredential.provider == provider_of(provider).name,
        )
    )
    registry.forget(member.workspace_id)


def provider_of(name: str) -> builtin.Provider:
    """The provider of a name or another spelling. Raises `ToolProviderNotFound`."""
    found = builtin.find_provider(name)
    if found is None:
        raise ToolProviderNotFound(f"There is no built-in tool provider {name[:100]}.")
    return found


async def hints(db: AsyncSession, scope: Scoped) -> dict[str, str]:
    """End of each built-in provider's stored key, by the provider's name."""
    rows = await db.scalars(select(ToolCredential).where(ToolCredential.workspace_id == scope.workspace_id))
    return {row.provider: row.hint for row in rows}


async def _credential(db: AsyncSession, scope: Scoped, provider: str) -> ToolCredential | None:
    query = select(ToolCredential).where(
        ToolCredential.workspace_id == scope.workspace_id, ToolCredential.provider == provider
    )
    return (await db.scalars(query)).first()
