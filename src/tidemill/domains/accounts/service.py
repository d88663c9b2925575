"""Accounts and their sessions."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from tidemill.domains.accounts import passwords
from tidemill.domains.accounts.errors import AccountNotFound, EmailTaken, WeakPassword, WrongSignIn
from tidemill.domains.accounts.models import Account, AccountSession
from tidemill.kit.crypto import digest
from tidemill.kit.db import now

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


async def is_empty(db: AsyncSession) -> bool:
    """Whether nobody has an account yet."""
    return (await db.scalars(select(func.count()).select_from(Account))).one() == 0


async def create(db: AsyncSession, *, email: str, password: str, name: str = "", language: str = "en") -> Account:
    """Create an account.

    Raises:
        WeakPassword: The password is too short, or too long.
        EmailTaken: Somebody has this address.
    """
    email = normal_email(email)
    check_password(password)
    if (await db.scalars(select(Account.id).where(Account.email == email))).first() is not None:
        raise EmailTaken(f"There is an account for {email} already. Sign in, or use another address.", params="email")
    account = Account(
        email=email,
        name=name.strip() or email.split("@")[0],
        language=language,
        password_hash=await passwords.hash_password(password),
    )
    db.add(account)
    await db.flush()
    return account


async def get(db: AsyncSession, account_id: UUID) -> Account:
    """An account by its id. Raises `AccountNotFound`."""
    account = await db.get(Account, account_id)
    if account is None:
        raise AccountNotFound("This account no longer exists.")
    return account


async def find_by_email(db: AsyncSession, email: str) -> Account | None:
    return (await db.scalars(select(Account).where(Account.email == normal_email(email)))).first()


async def check_sign_in(db: AsyncSession, *, email: str, password: str) -> Account:
    """The account of this address and password.

    Raises:
        WrongSignIn: There is none; whether the address or the password is wrong is not told.
    """
    account = await find_by_email(db, email)
    if not await passwords.matches(account.password_hash if account else "", password) or account is None:
        raise WrongSignIn("The email or the password is wrong. Check both and try again.")
    return account


async def set_password(db: AsyncSession, *, email: str, password: str) -> Account:
    """Give an account a new password and end all its sessions.

    Raises:
        AccountNotFound: Nobody has this address.
        WeakPassword: The password is too short, or too long.
    """
    check_password(password)
    account = await find_by_email(db, email)
    if account is None:
        raise AccountNotFound(f"There is no account for {email}.")
    account.password_hash = await passwords.hash_password(password)
    await db.execute(delete(AccountSession).where(AccountSession.account_id == account.id))
    return account


async def open_session(db: AsyncSession, account_id: UUID, *, days: int) -> tuple[AccountSession, str]:
    """Begin a session; returns it with its token, which is not stored. Expired ones of the account are removed."""
    await db.execute(
        delete(AccountSession).where(AccountSession.account_id == account_id, AccountSession.expires_at < now())
    )
    token = secrets.token_urlsafe(32)
    session = AccountSession(account_id=account_id, digest=digest(token), expires_at=now() + timedelta(days=days))
    db.add(session)
    await db.flush()
    return session, token


async def close_session(db: AsyncSession, token: str) -> None:
    await db.execute(delete(AccountSession).where(AccountSession.digest == digest(token)))


def normal_email(email: str) -> str:
    """The form in which addresses are stored and compared."""
    return email.strip().lower()


def is_email(text: str) -> bool:
    return len(text) <= 255 and _EMAIL.fullmatch(text.strip()) is not None


def check_password(password: str) -> None:
    """Raise `WeakPassword` unless the length is allowed."""
    if not passwords.MIN_CHARS <= len(password) <= passwords.MAX_CHARS:
        raise WeakPassword(
            f"A password has {passwords.MIN_CHARS} to {passwords.MAX_CHARS} characters. Choose another one.",
            params="password",
        )
