"""First start, sign-in, and who one is."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tidemill import __version__
from tidemill.domains.accounts import service as accounts
from tidemill.domains.accounts.errors import NotSignedIn, TooManyAttempts
from tidemill.domains.accounts.models import Account
from tidemill.domains.workspaces import service
from tidemill.domains.workspaces.permissions import COOKIE, Anyone, Viewer, csrf_token
from tidemill.domains.workspaces.schemas import (
    AccountRead,
    Me,
    MeUpdate,
    PublicUrls,
    SessionCreate,
    SetupCreate,
    SetupRead,
    WorkspaceRead,
)
from tidemill.kit.crypto import Vault
from tidemill.kit.db import Db
from tidemill.kit.limiter import Limiter
from tidemill.kit.links import links_of
from tidemill.kit.settings import Settings

router = APIRouter(tags=["session"])


@router.get("/setup")
async def read_setup(request: Request, permission: Anyone, db: Db) -> SetupRead:
    """Whether the first-run page is due, and what it asks for."""
    settings: Settings = request.app.state.settings
    gate: service.SetupGate = request.app.state.setup_gate
    return SetupRead(
        is_done=await service.is_set_up(db),
        needs_code=gate.needs_code,
        environment=settings.deploy_env,
        version=__version__,
    )


@router.post("/setup", status_code=201)
async def set_up(body: SetupCreate, request: Request, response: Response, permission: Anyone, db: Db) -> Me:
    """Make the owner's account and sign it in."""
    await _limit(request, "setup")
    account, _ = await service.set_up(
        db,
        email=body.email,
        password=body.password,
        name=body.name,
        language=body.language,
        code=body.code,
        gate=request.app.state.setup_gate,
    )
    return await _sign_in(db, request, response, account)


@router.post("/session")
async def create_session(body: SessionCreate, request: Request, response: Response, permission: Anyone, db: Db) -> Me:
    """Sign in."""
    await _limit(request, accounts.normal_email(body.email))
    account = await accounts.check_sign_in(db, email=body.email, password=body.password)
    return await _sign_in(db, request, response, account)


@router.delete("/session", status_code=204)
async def delete_session(request: Request, response: Response, member: Viewer, db: Db) -> None:
    """Sign out."""
    await accounts.close_session(db, request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, path=_cookie_path(request))


@router.get("/me")
async def read_me(request: Request, member: Viewer, db: Db) -> Me:
    """Who is signed in, where, and as what."""
    account = await accounts.get(db, member.account_id)
    return await _me(db, request, account, request.cookies[COOKIE])


@router.patch("/me")
async def update_me(body: MeUpdate, request: Request, member: Viewer, db: Db) -> Me:
    """Change one's name, language or theme."""
    account = await accounts.get(db, member.account_id)
    for field, value in body.model_dump(exclude_none=True).items():
        setattr(account, field, value)
    await db.flush()
    return await _me(db, request, account, request.cookies[COOKIE])


async def _limit(request: Request, name: str) -> None:
    limiter: Limiter = request.app.state.sign_in_limiter
    address = request.client.host if request.client else "unknown"
    if not await limiter.allow(address, name):
        raise TooManyAttempts("Too many attempts. Wait a minute and try again.", headers={"Retry-After": "60"})


async def _sign_in(db: Db, request: Request, response: Response, account: Account) -> Me:
    settings: Settings = request.app.state.settings
    _, token = await accounts.open_session(db, account.id, days=settings.session_days)
    is_tls = request.url.scheme == "https" or settings.console_web_url.startswith("https://")
    response.set_cookie(
        COOKIE,
        token,
        max_age=settings.session_days * 86400,
        path=_cookie_path(request),
        secure=is_tls,
        httponly=True,
        samesite="lax",
    )
    return await _me(db, request, account, token)


async def _me(db: Db, request: Request, account: Account, token: str) -> Me:
    settings: Settings = request.app.state.settings
    vault: Vault = request.app.state.vault
    place = await service.find_place(db, account.id)
    if place is None:
        raise NotSignedIn("Your account belongs to no workspace. Ask an owner to invite you.")
    workspace, role = place
    addresses = links_of(request)
    return Me(
        account=AccountRead.model_validate(account),
        workspace=WorkspaceRead.model_validate(workspace),
        role=role,
        csrf_token=csrf_token(vault, token),
        environment=settings.deploy_env,
        version=__version__,
        urls=PublicUrls(api=addresses.v1, openai=addresses.openai, web=addresses.app_web, files=addresses.files),
    )


def _cookie_path(request: Request) -> str:
    settings: Settings = request.app.state.settings
    return settings.path_prefix or "/"
