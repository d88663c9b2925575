"""Providers of models: credentials that go in and never out, live tests, windows, defaults."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from support.installation import Installation, Person
from support.model_server import ModelServer, model_server, model_server_process
from support.postgres import free_port
from tidemill.domains.model_providers.models import ProviderCredential
from tidemill.llm.errors import ModelNotConfigured
from tidemill.llm.types import ChatRequest, Message, ModelRef

__all__ = ["model_server", "model_server_process"]

KEY = "sk-a-long-secret-key-4242"


async def _provider(console: AsyncClient, name: str) -> dict[str, Any]:
    return next(row for row in (await console.get("/model-providers")).json() if row["id"] == name)


async def _save(console: AsyncClient, provider: str = "openai", **credentials: str) -> None:
    answer = await console.put(f"/model-providers/{provider}/credentials", json={"credentials": credentials})
    assert answer.status_code == 204, answer.text


async def test_the_demo_model_is_ready_and_the_default(console: AsyncClient):
    models = (await console.get("/models")).json()

    assert [(model["provider"], model["name"], model["is_default"]) for model in models] == [("demo", "demo", True)]
    assert (await _provider(console, "demo"))["is_configured"] is True


async def test_a_provider_says_what_it_asks_for_in_both_languages(console: AsyncClient):
    provider = await _provider(console, "tongyi")

    assert provider["name"]["zh-Hans"] == "通义千问"
    assert [(field["name"], field["kind"], field["is_required"]) for field in provider["fields"]] == [
        ("api_key", "secret", True),
        ("base_url", "text", False),
    ]


async def test_credentials_go_in_and_never_come_out(installation: Installation, console: AsyncClient):
    await _save(console, api_key=KEY)

    listed = await console.get("/model-providers")
    async with installation.app.state.database.session() as db:
        row = (await db.scalars(select(ProviderCredential))).one()
    assert KEY not in listed.text
    assert KEY not in row.secrets
    provider = await _provider(console, "openai")
    assert (provider["is_configured"], provider["credential_hint"]) == (True, "…4242")


async def test_a_configured_provider_brings_its_models(console: AsyncClient):
    await _save(console, api_key=KEY)

    models = {model["name"]: model for model in (await console.get("/models")).json()}

    assert models["gpt-4o"]["window_tokens"] == 128_000
    assert models["gpt-4o"]["source"] == "catalogue"


async def test_a_missing_or_unknown_field_is_named(console: AsyncClient):
    path = "/model-providers/openai/credentials"

    missing = await console.put(path, json={"credentials": {}})
    unknown = await console.put(path, json={"credentials": {"api_key": KEY, "apikey": "x"}})

    assert (missing.status_code, missing.json()["params"]) == (422, "api_key")
    assert (unknown.status_code, unknown.json()["params"]) == (422, "apikey")


async def test_a_secret_left_empty_keeps_the_stored_one(console: AsyncClient, model_server: ModelServer):
    await _save(console, api_key=KEY, base_url="http://127.0.0.1:1/v1")

    await _save(console, api_key="", base_url=model_server.base_url)
    tested = await console.post(
        "/model-providers/openai/test", json={"credentials": {"base_url": model_server.base_url}}
    )

    assert tested.json()["ok"] is True
    assert (await _provider(console, "openai"))["credential_hint"] == "…4242"


async def test_a_live_test_lists_models_and_stores_nothing(console: AsyncClient, model_server: ModelServer):
    credentials = {"api_key": KEY, "base_url": model_server.base_url}

    tested = (await console.post("/model-providers/openai/test", json={"credentials": credentials})).json()

    assert tested["ok"] is True
    assert tested["models"]
    assert (await _provider(console, "openai"))["is_configured"] is False


async def test_a_live_test_of_a_dead_address_says_so(console: AsyncClient):
    credentials = {"api_key": KEY, "base_url": f"http://127.0.0.1:{free_port()}/v1"}

    tested = (await console.post("/model-providers/openai/test", json={"credentials": credentials})).json()

    assert tested["ok"] is False
    assert "cannot be reached" in tested["message"]


async def test_a_model_of_unknown_window_needs_one(console: AsyncClient):
    path = "/model-providers/openai_api_compatible/models"

    refused = await console.post(path, json={"name": "my-own/model"})
    added = await console.post(path, json={"name": "my-own/model", "window_tokens": 8192, "features": ["vision"]})

    assert (refused.status_code, refused.json()["code"]) == (422, "window_required")
    assert added.status_code == 201
    assert (added.json()["window_tokens"], added.json()["source"]) == (8192, "workspace")


async def test_an_added_model_can_be_used_chosen_and_removed(console: AsyncClient):
    await _save(console, "openai_api_compatible", base_url="http://127.0.0.1:1/v1")
    path = "/model-providers/openai_api_compatible/models"
    await console.post(path, json={"name": "my-own/model", "window_tokens": 8192})
    named = {"kind": "chat", "provider": "openai_api_compatible", "name": "my-own/model"}

    chosen = await console.put("/models/default", json=named)
    before = (await console.get("/models")).json()
    removed = await console.delete(f"{path}/my-own/model")
    after = (await console.get("/models")).json()

    assert (chosen.status_code, removed.status_code) == (204, 204)
    assert [model["name"] for model in before if model["is_default"]] == ["my-own/model"]
    assert [model["name"] for model in after if model["is_default"]] == ["demo"]


async def test_a_model_that_cannot_be_used_is_no_default(console: AsyncClient):
    answer = await console.put("/models/default", json={"kind": "chat", "provider": "openai", "name": "gpt-4o"})

    assert (answer.status_code, answer.json()["code"]) == (422, "model_unusable")


async def test_an_unknown_provider_is_not_found(console: AsyncClient):
    answer = await console.put("/model-providers/nobody/credentials", json={"credentials": {}})

    assert (answer.status_code, answer.json()["code"]) == (404, "provider_not_found")


async def test_the_worked_example_of_the_token_rule(console: AsyncClient):
    path = "/model-providers/openai_api_compatible"
    await _save(console, "openai_api_compatible", base_url="http://127.0.0.1:1/v1")
    await console.post(f"{path}/models", json={"name": "gpt-4o-like", "window_tokens": 8192})
    # One token a word with every encoding, whatever the factor: found by asking.
    one = (await console.post("/tokens", json={"text": " tide"})).json()["tokens"]

    counted = (await console.post("/tokens", json={"text": " tide" * (4000 // one), "max_tokens": 8000})).json()

    assert one == 1
    assert counted["tokens"] == 4000
    assert counted["window_tokens"] - counted["tokens"] == counted["remaining_tokens"]
    assert counted["max_tokens"] <= counted["remaining_tokens"]


async def test_a_run_gets_a_bound_model_under_any_spelling(
    installation: Installation, owner: Person, model_server: ModelServer
):
    await _save(owner.browser, api_key=KEY, base_url=model_server.base_url)
    models = installation.app.state.models.of(owner.member.workspace_id)

    model = await models.chat(ModelRef("langgenius/openai/openai", "gpt-4o"))
    fitted = model.fit(ChatRequest(messages=(Message(role="user", content="Hello"),)))
    text = "".join([delta.text async for delta in model.stream(fitted)])

    assert text
    assert model_server.requests()[-1].headers["authorization"] == f"Bearer {KEY}"
    assert await models.chat(ModelRef("langgenius/openai/openai", "gpt-4o")) is model


async def test_changed_credentials_are_used_at_once(
    installation: Installation, owner: Person, model_server: ModelServer
):
    await _save(owner.browser, api_key=KEY, base_url="http://127.0.0.1:1/v1")
    models = installation.app.state.models.of(owner.member.workspace_id)
    before = await models.chat(ModelRef("openai", "gpt-4o"))

    await _save(owner.browser, api_key="sk-another-long-key-7777", base_url=model_server.base_url)
    after = await models.chat(ModelRef("openai", "gpt-4o"))
    await owner.browser.delete("/model-providers/openai/credentials")

    assert after is not before
    with pytest.raises(ModelNotConfigured, match="OpenAI"):
        await models.chat(ModelRef("openai", "gpt-4o"))


async def test_a_model_nobody_knows_is_an_error_that_names_it(installation: Installation, owner: Person):
    models = installation.app.state.models.of(owner.member.workspace_id)

    for ref in (ModelRef("nobody/x/nobody", "m-1"), ModelRef("demo", "m-1"), ModelRef("anthropic", "m-1")):
        with pytest.raises(ModelNotConfigured, match="m-1"):
            await models.chat(ref)


async def test_an_editor_of_apps_may_not_touch_credentials(console: AsyncClient, onlooker: Person):
    answer = await onlooker.browser.put("/model-providers/openai/credentials", json={"credentials": {"api_key": KEY}})

    assert answer.status_code == 403


async def test_another_workspace_uses_and_sees_none_of_it(
    installation: Installation, console: AsyncClient, stranger: Person
):
    await _save(console, api_key=KEY)

    assert (await _provider(stranger.browser, "openai"))["is_configured"] is False
    with pytest.raises(ModelNotConfigured):
        await installation.app.state.models.of(stranger.member.workspace_id).chat(ModelRef("openai", "gpt-4o"))
