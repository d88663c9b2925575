"""Every console route asks for one permission, and keeps it: nobody, the wrong role, another workspace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from httpx import AsyncClient

from support.apps import IF_ELSE_FLOW, add_app
from support.installation import Installation, Person
from tidemill.api.console import ROUTERS
from tidemill.domains.workspaces.permissions import PERMISSIONS, Role

PUBLIC = {("GET", "/setup"), ("POST", "/setup"), ("POST", "/session")}
# What a plausible body of a route is, by the end of its path; the others take one that fits by accident or none.
BODIES: dict[str, dict[str, object]] = {
    "/import": {"content": IF_ELSE_FLOW},
    "/models": {"name": "m", "window_tokens": 100},
    "/credentials": {"credentials": {}},
    "/test": {"credentials": {}},
    "/default": {"kind": "chat", "provider": "demo", "name": "demo"},
    "/tokens": {"text": "x"},
    "/{node_id}": {"title": "x"},
    "/chat": {"query": "x", "inputs": {}},
    "/run": {"inputs": {}},
    "/{conversation_id}": {"name": "x"},
}
MAPPINGS = {"mappings": [{"from": {"provider": "a", "name": "b"}, "to": {"provider": "demo", "name": "demo"}}]}


@dataclass(frozen=True)
class Route:
    """A route and the roles its permissions let through; no roles for one that is open to everybody."""

    method: str
    path: str
    roles: tuple[frozenset[Role], ...]

    @property
    def id(self) -> str:
        return f"{self.method} {self.path}"

    def at(self, **ids: str) -> str:
        """The address, with the given ids and fresh ones for the rest."""
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: ids.get(match[1], str(uuid4())), self.path)

    @property
    def body(self) -> dict[str, object] | None:
        if self.method in ("GET", "DELETE"):
            return None
        if self.id.startswith("PUT /apps/"):
            return dict(MAPPINGS)
        return next((dict(body) for end, body in BODIES.items() if self.path.endswith(end)), {})


def _routes() -> Iterator[Route]:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute), route
            calls = _calls(route.dependant)
            roles = tuple(roles for permission, roles in PERMISSIONS.items() if permission in calls)
            for method in sorted(route.methods or ()):
                yield Route(method, route.path, roles)


def _calls(dependant: Dependant) -> set[object]:
    found = {dependant.call} if dependant.call else set[object]()
    return found.union(*(_calls(inner) for inner in dependant.dependencies))


ROUTES = list(_routes())
CLOSED = [route for route in ROUTES if (route.method, route.path) not in PUBLIC]
RESTRICTED = [route for route in CLOSED if route.roles and Role.MEMBER not in frozenset.intersection(*route.roles)]
OF_AN_APP = [route for route in CLOSED if "{app_id}" in route.path]


def _ids(route: Route) -> str:
    return route.id


@pytest.mark.parametrize("route", ROUTES, ids=_ids)
def test_a_route_has_a_permission(route: Route):
    is_open = (route.method, route.path) in PUBLIC

    assert route.roles
    assert all(bool(roles) != is_open for roles in route.roles)


def test_there_are_routes_to_walk():
    assert len(ROUTES) > 40
    assert len(RESTRICTED) > 15


async def test_nobody_gets_through_without_an_account(installation: Installation):
    async with installation.client("/console/api") as nobody:
        answers = {
            route.id: (await nobody.request(route.method, route.at(), json=route.body)).json()["code"]
            for route in CLOSED
        }

    assert set(answers.values()) == {"unauthorized"}, answers


async def test_a_plain_member_is_refused_wherever_more_is_asked(onlooker: Person):
    answers = {
        route.id: (await onlooker.browser.request(route.method, route.at(), json=route.body)).status_code
        for route in RESTRICTED
    }

    assert set(answers.values()) == {403}, answers


async def test_another_workspace_finds_none_of_an_apps_routes(console: AsyncClient, stranger: Person):
    app = await add_app(console, IF_ELSE_FLOW)
    answers = {
        route.id: (
            await stranger.browser.request(route.method, route.at(app_id=app["id"], node_id="start"), json=route.body)
        ).status_code
        for route in OF_AN_APP
        if not route.path.endswith("/files")
    }

    assert set(answers.values()) == {404}, answers
