"""What an administrator asks of the installation itself."""

from __future__ import annotations

from fastapi import APIRouter

from tidemill.domains.workspaces.permissions import Admin
from tidemill.kit.schema import Schema
from tidemill.kit.startup import check_all
from tidemill.kit.state import CurrentSettings

router = APIRouter(tags=["system"])


class CheckRead(Schema):
    name: str
    ok: bool
    message: str
    mend: str


class SystemRead(Schema):
    checks: list[CheckRead]


@router.get("/system")
async def read_system(member: Admin, settings: CurrentSettings) -> SystemRead:
    """The checks of `tidemill doctor`, without the port: this server holds it."""
    checks = await check_all(settings, with_port=False)
    return SystemRead(
        checks=[
            CheckRead(
                name=check.name,
                ok=check.is_ok,
                message=check.message,
                mend=check.fault.mend if check.fault else "",
            )
            for check in checks
        ]
    )
