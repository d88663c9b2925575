"""Triggers (reference `workflow-dsl.md`, 5.21)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dsl.samples import edge, fixture, node, workflow
from tidemill.dsl import AppFile, compile
from tidemill.engine.errors import GraphInvalid, InputInvalid
from tidemill.engine.journal import MemoryJournal
from tidemill.engine.node import RunInfo
from tidemill.engine.scheduler import Run
from tidemill.engine.values import File
from tidemill.nodes.trigger_plugin import TriggerPlugin
from tidemill.nodes.trigger_schedule import TriggerSchedule
from tidemill.nodes.trigger_webhook import (
    Config,
    TriggerWebhook,
    WebhookRefused,
    WebhookRequest,
    read_request,
    response,
)

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
STRUCTURES = ["object", "array[string]", "array[number]", "array[boolean]", "array[object]"]


def config(**data: Any) -> Config:
    return Config.model_validate({"method": "post", **data})


def request(**given: Any) -> WebhookRequest:
    fields: dict[str, Any] = {"method": "POST", **given}
    return WebhookRequest(**fields)


def taken(settings: Config, **given: Any) -> dict[str, Any]:
    """The outputs without the raw request."""
    outputs = read_request(settings, request(**given))
    return {name: value for name, value in outputs.items() if name != "_webhook_raw"}


def entry(kind: str, *, required: bool = True) -> dict[str, Any]:
    return {"name": "v", "type": kind, "required": required}


# ---------------------------------------------------------------- a request


def test_another_method_is_refused_with_400():
    with pytest.raises(WebhookRefused, match="takes POST requests, not GET") as refused:
        read_request(config(), request(method="GET"))
    assert refused.value.status == 400


@pytest.mark.parametrize("method", ["get", "POST", "Put", "delete", "patch", "HEAD"])
def test_the_method_may_be_written_in_any_case(method: str):
    assert taken(config(method=method), method=method.swapcase()) == {}


def test_another_content_type_is_refused_with_400():
    with pytest.raises(WebhookRefused, match="application/json bodies, not text/plain") as refused:
        read_request(config(), request(content_type="text/plain"))
    assert refused.value.status == 400


def test_parameters_of_the_content_type_do_not_matter():
    assert taken(config(), content_type="Application/JSON; charset=utf-8", body={}) == {}


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"headers": [{"name": "X-Key", "required": True}]}, "header `X-Key`"),
        ({"params": [{"name": "page", "required": True}]}, "query parameter `page`"),
        ({"body": [{"name": "text", "required": True}]}, "body value `text`"),
        ({"body": [{"name": "text", "required": True}], "content_type": FORM}, "form field `text`"),
        ({"body": [entry("file")], "content_type": MULTIPART}, "file `v`"),
        ({"body": [{"name": "text", "required": True}], "content_type": "text/plain"}, "body `text`"),
    ],
)
def test_what_is_required_and_missing_is_refused_and_named(settings: dict[str, Any], what: str):
    with pytest.raises(WebhookRefused, match=what) as refused:
        read_request(config(**settings), request())
    assert refused.value.status == 400


@pytest.mark.parametrize("content_type", ["application/json", FORM])
def test_what_is_optional_and_missing_is_null(content_type: str):
    settings = config(
        headers=[{"name": "X-Key"}],
        params=[{"name": "page", "type": "number"}],
        body=[entry("string", required=False)],
        content_type=content_type,
    )

    assert taken(settings) == {"X_Key": None, "page": None, "v": None}


@pytest.mark.parametrize("sent", ["X-Api-Key", "x-api-key", "X_API_KEY", "x-Api_key"])
def test_a_header_is_found_in_any_case_and_with_either_dash(sent: str):
    settings = config(headers=[{"name": "X-Api-Key", "required": True}])

    assert taken(settings, headers={sent: "k"}) == {"X_Api_Key": "k"}


VALID: list[tuple[str, Any]] = [
    ("string", "text"),
    ("string", ""),
    ("number", 3),
    ("number", 1.5),
    ("boolean", False),
    ("object", {"a": 1}),
    ("array[string]", ["a"]),
    ("array[number]", [1, 2.5]),
    ("array[boolean]", [True]),
    ("array[object]", [{}]),
    ("array[object]", []),
]


@pytest.mark.parametrize(("kind", "value"), VALID)
def test_json_values_of_the_declared_type_pass_unchanged(kind: str, value: Any):
    found = taken(config(body=[entry(kind)]), body={"v": value})["v"]

    assert found == value
    assert type(found) is type(value)


INVALID: list[tuple[str, Any]] = [
    ("string", 5),
    ("string", True),
    ("number", "5"),
    ("number", True),
    ("boolean", "true"),
    ("boolean", 1),
    ("object", [1]),
    ("object", '{"a": 1}'),
    ("array[string]", "a"),
    ("array[string]", [1]),
    ("array[number]", ["1"]),
    ("array[number]", [True]),
    ("array[boolean]", [1]),
    ("array[object]", [1]),
]


@pytest.mark.parametrize(("kind", "value"), INVALID)
def test_json_values_are_never_converted(kind: str, value: Any):
    with pytest.raises(WebhookRefused, match="`v` must be"):
        read_request(config(body=[entry(kind)]), request(body={"v": value}))


CONVERTED: list[tuple[str, str, Any]] = [
    ("string", "5", "5"),
    ("string", "", ""),
    ("number", "5", 5),
    ("number", "-5", -5),
    ("number", "5.0", 5),
    ("number", "5.5", 5.5),
    ("number", "12345678901234567890", 12345678901234567890),
    *(("boolean", word, True) for word in ("true", "True", "1", "yes", "YES")),
    *(("boolean", word, False) for word in ("false", "0", "no")),
]


@pytest.mark.parametrize(("kind", "text", "value"), CONVERTED)
def test_query_and_form_values_are_converted(kind: str, text: str, value: Any):
    by_query = taken(config(params=[entry(kind)]), query={"v": text})["v"]
    by_form = taken(config(body=[entry(kind)], content_type=FORM), content_type=FORM, body={"v": text})["v"]
    by_parts = taken(config(body=[entry(kind)], content_type=MULTIPART), content_type=MULTIPART, body={"v": text})["v"]

    assert by_query == by_form == by_parts == value
    assert type(by_query) is type(by_form) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("number", "five"), ("number", "inf"), ("number", "nan"), ("boolean", "maybe"), ("boolean", "2")],
)
def test_query_values_that_cannot_be_converted_are_refused(kind: str, text: str):
    with pytest.raises(WebhookRefused, match=f'is "{text}", which is not of type {kind}'):
        read_request(config(params=[entry(kind)]), request(query={"v": text}))


@pytest.mark.parametrize("kind", STRUCTURES)
def test_structures_do_not_come_by_query(kind: str):
    with pytest.raises(WebhookRefused, match=r"not of type"):
        read_request(config(params=[entry(kind)]), request(query={"v": "[]"}))


@pytest.mark.parametrize("kind", STRUCTURES)
@pytest.mark.parametrize("content_type", [FORM, MULTIPART])
def test_a_form_with_structures_is_a_wrong_configuration(kind: str, content_type: str):
    data = {"body": [entry(kind)], "content_type": content_type}

    with pytest.raises(GraphInvalid, match="cannot carry"):
        TriggerWebhook.parse("t", data)


def test_a_number_left_blank_in_a_form_is_missing():
    settings = config(params=[entry("number", required=False)])

    assert taken(settings, query={"v": " "}) == {"v": None}


FILE = File(type="document", transfer_method="local_file", filename="a.pdf", related_id="1")


def test_a_part_with_a_file_is_a_file():
    settings = config(body=[entry("file"), {"name": "note"}], content_type=MULTIPART)

    assert taken(settings, content_type=MULTIPART, body={"note": "n"}, files={"v": FILE}) == {"v": FILE, "note": "n"}


@pytest.mark.parametrize(("content_type", "body"), [("text/plain", "raw text"), ("application/octet-stream", FILE)])
def test_every_body_entry_gets_the_whole_text_or_file(content_type: str, body: Any):
    settings = config(body=[{"name": "one"}, {"name": "two"}], content_type=content_type)

    assert taken(settings, content_type=content_type, body=body) == {"one": body, "two": body}


def test_what_nobody_declared_is_in_the_raw_request_only():
    settings = config(body=[entry("string")], params=[{"name": "p"}])

    outputs = read_request(
        settings, request(headers={"X-Other": "h"}, query={"p": "1", "q": "2"}, body={"v": "a", "w": "b"})
    )

    assert outputs == {
        "p": "1",
        "v": "a",
        "_webhook_raw": {
            "method": "POST",
            "headers": {"X-Other": "h"},
            "query_params": {"p": "1", "q": "2"},
            "body": {"v": "a", "w": "b"},
            "files": {},
        },
    }


# ---------------------------------------------------------------- its response


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ('{"ok": true}', {"ok": True}),
        (" [1, 2]\n", [1, 2]),
        ("Thank you", {"message": "Thank you"}),
        ("", {"message": "Webhook processed successfully"}),
    ],
)
def test_the_response_is_json_or_a_message(text: str, body: Any):
    told = response(config(response_body=text, status_code=202))

    assert (told.status, told.body) == (202, body)


def test_an_empty_response_with_an_error_status_claims_no_success():
    assert response(config(status_code=503)).body == {"message": ""}


def test_a_response_that_begins_like_json_must_be_json():
    with pytest.raises(GraphInvalid, match="response body begins like JSON but is none"):
        TriggerWebhook.parse("t", {"response_body": '{"ok": '})


# ---------------------------------------------------------------- the run


def triggered(kind: str, shown: list[str], **data: Any) -> AppFile:
    outputs = [{"variable": name, "value_selector": ["t", *name.split(".", 1)]} for name in shown]
    nodes = [node("t", kind, **data), node("e", "end", outputs=outputs)]
    return AppFile.from_document(workflow(nodes, [edge("t", "e")]))


async def outcome(app: AppFile, given: Mapping[str, Any], **system: Any) -> dict[str, Any]:
    """Outputs of a run that is begun by hand with `given`."""
    compiled = compile(app)
    pool = compiled.pool(compiled.start_inputs(given), system=system)
    run = Run(
        compiled.graph,
        pool,
        info=RunInfo(run_id="r"),
        ports={},
        journal=MemoryJournal(),
        root_id=compiled.start_id,
    )
    finished = await run.execute()
    assert finished.status == "succeeded", finished.error
    return finished.outputs


async def test_a_schedule_gives_its_moment_and_takes_no_inputs():
    app = triggered("trigger-schedule", ["sys.timestamp", "x"], mode="cron", cron_expression="@daily")

    assert await outcome(app, {"x": "1"}, timestamp=1_700_000_000) == {"sys.timestamp": 1_700_000_000, "x": None}


async def test_a_webhook_begun_by_hand_takes_named_values_as_text_or_as_they_are():
    body = [{"name": "n", "type": "number"}, {"name": "list", "type": "array[number]"}, {"name": "o", "type": "object"}]
    app = triggered(
        "trigger-webhook",
        ["X_Key", "page", "n", "list", "o", "_webhook_raw"],
        method="post",
        headers=[{"name": "X-Key"}],
        params=[{"name": "page", "type": "number"}],
        body=body,
    )

    outputs = await outcome(app, {"X_Key": "k", "page": "2", "n": 1.5, "list": "[1, 2]", "o": {"a": 1}, "extra": "e"})

    raw = outputs.pop("_webhook_raw")
    assert outputs == {"X_Key": "k", "page": 2, "n": 1.5, "list": [1, 2], "o": {"a": 1}}
    assert raw["method"] == "POST"
    assert raw["body"] == {"n": 1.5, "list": [1, 2], "o": {"a": 1}, "extra": "e"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "`v` is required"),
        ({"v": "[1]"}, "`v` must be an object"),
        ({"v": "{broken"}, "`v` must be JSON of type object"),
    ],
)
def test_a_webhook_begun_by_hand_refuses_what_the_request_would_be_refused_for(given: dict[str, Any], sentence: str):
    app = triggered("trigger-webhook", [], method="post", body=[entry("object")])

    with pytest.raises(InputInvalid, match=sentence) as refused:
        compile(app).start_inputs(given)
    assert refused.value.variable == "v"


def test_a_webhook_begun_by_hand_names_its_files():
    app = triggered("trigger-webhook", [], method="post", content_type=MULTIPART, body=[entry("file")])

    trigger = compile(app).trigger
    assert trigger is not None
    assert trigger.file_names() == {"v"}


async def test_a_plugin_event_gives_its_payload_as_its_schema_types_it():
    schema = {"type": "object", "properties": {"issue": {"type": "object"}, "title": {"type": "string"}}}
    app = triggered("trigger-plugin", ["issue", "title", "other"], event_name="opened", output_schema=schema)

    outputs = await outcome(app, {"issue": '{"id": 5}', "title": "5", "other": "6"})

    assert outputs == {"issue": {"id": 5}, "title": "5", "other": "6"}


def test_a_plugin_event_of_another_type_is_refused():
    schema = {"properties": {"issue": {"type": "object"}}}

    with pytest.raises(InputInvalid, match="`issue` must be JSON of type object"):
        TriggerPlugin.parse("t", {"output_schema": schema}).payload({"issue": "{"})  # type: ignore[attr-defined]


def test_of_several_triggers_a_run_begins_at_one_and_the_others_paths_are_not_run():
    compiled = compile(fixture("two-triggers"))

    root = compiled.graph.nodes[compiled.start_id].node
    assert isinstance(root, (TriggerSchedule, TriggerWebhook))
    others = set(compiled.graph.roots) - {compiled.start_id}
    assert others
    assert not others & {planned.id for planned in compiled.graph.plan(compiled.start_id).nodes}
