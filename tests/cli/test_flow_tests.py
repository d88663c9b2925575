"""`tidemill test`: cases live, recorded and played, and what it says of files that are wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from cli.conftest import CommandLine
from support.model_server import ModelServer, running_model_server

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "testing.md"
SECRET = "shop-secret-98765"
KEY = "sk-live-key-of-this-test-000"

APP: dict[str, Any] = {
    "kind": "app",
    "version": "0.6.0",
    "app": {"name": "Desk", "mode": "advanced-chat"},
    "workflow": {
        "environment_variables": [{"id": "1", "name": "shop", "value_type": "secret", "value": ""}],
        "conversation_variables": [{"id": "2", "name": "tone", "value_type": "string", "value": "calm"}],
        "graph": {
            "nodes": [
                {"id": "start", "data": {"type": "start", "title": "Start", "variables": []}},
                {
                    "id": "reply",
                    "data": {
                        "type": "llm",
                        "title": "Reply",
                        "model": {"provider": "openai", "name": "gpt-4o-mini", "mode": "chat"},
                        "prompt_template": [
                            {"role": "system", "text": "Be {{#conversation.tone#}}. {{#env.shop#}}"},
                            {"role": "user", "text": "{{#sys.query#}}\n{{#sys.workflow_run_id#}}"},
                        ],
                    },
                },
                {"id": "answer", "data": {"type": "answer", "title": "Answer", "answer": "{{#reply.text#}}"}},
            ],
            "edges": [{"source": "start", "target": "reply"}, {"source": "reply", "target": "answer"}],
        },
    },
}


class Bench:
    """A folder with an app, its tests and a command line. `told` is the object of the last `--json`."""

    def __init__(self, tidemill: CommandLine, environment: pytest.MonkeyPatch) -> None:
        self.tidemill = tidemill
        self.environment = environment
        self.write_app(APP)

    def write_app(self, app: dict[str, Any]) -> None:
        self.tidemill.write("app.yml", json.dumps(app))

    def write_tests(self, *cases: dict[str, Any], **further: Any) -> Path:
        document = {"app": "app.yml", **further, "cases": [{"query": "Hello", **case} for case in cases]}
        return self.tidemill.write("flow_tests.yml", yaml.safe_dump(document, allow_unicode=True))

    def outcomes(self, *words: str) -> list[dict[str, Any]]:
        told = self.tidemill("test", "flow_tests.yml", "--json", *words)
        assert told.err == ""
        cases = json.loads(told.out)["cases"]
        assert told.code == (0 if all(case["verdict"] == "passed" for case in cases) else 1)
        return cases

    def outcome(self, *words: str) -> dict[str, Any]:
        (case,) = self.outcomes(*words)
        return case

    def go_offline(self) -> None:
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL_WINDOW"):
            self.environment.delenv(name, raising=False)

    @property
    def cassette(self) -> str:
        return (self.tidemill.folder / "tapes" / "a.json").read_text("utf-8")


@pytest.fixture
def bench(tidemill: CommandLine, model: ModelServer, environment: pytest.MonkeyPatch) -> Bench:
    environment.setenv("OPENAI_API_KEY", KEY)
    return Bench(tidemill, environment)


CASE: dict[str, Any] = {"name": "a", "cassette": "tapes/a.json", "environment": {"shop": SECRET}}


def with_prompt(text: str) -> dict[str, Any]:
    changed = json.loads(json.dumps(APP))
    changed["workflow"]["graph"]["nodes"][1]["data"]["prompt_template"][0]["text"] = text
    return changed


def expecting(*checks: dict[str, Any], **case: Any) -> dict[str, Any]:
    return {"name": "a", "expect": list(checks), **case}


# ---------------------------------------------------------------- live, recorded, played


def test_a_case_without_a_cassette_runs_live(bench: Bench, model: ModelServer) -> None:
    model.script({"reply": "High tide is at noon."})
    bench.write_tests(expecting({"contains": "noon"}))

    outcome = bench.outcome()

    assert (outcome["verdict"], outcome["mode"]) == ("passed", "live")
    assert outcome["total_tokens"] > 0


def test_a_recorded_case_says_the_same_when_the_server_is_gone(tmp_path: Path) -> None:
    """Two processes: one that records, one that plays when there is neither server nor key."""
    (tmp_path / "app.yml").write_text(json.dumps(APP))
    case = {**CASE, "app": "app.yml", "query": "Hello", "expect": [{"equals": "High tide is at noon."}]}
    (tmp_path / "tests.yml").write_text(json.dumps({"cases": [case]}))
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TIDEMILL_HOME": str(tmp_path / "data")}

    def outcome(*words: str, **environment: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "tidemill.cli", "test", "tests.yml", "--json", *words]
        done = subprocess.run(command, cwd=tmp_path, env={**bare, **environment}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["cases"][0]

    with running_model_server() as server:
        server.script({"reply": "High tide is at noon."})
        recorded = outcome("--record", OPENAI_API_KEY=KEY, OPENAI_BASE_URL=server.base_url, OPENAI_MODEL_WINDOW="16385")
    played = outcome()

    assert [recorded["mode"], played["mode"]] == ["recorded", "cassette"]
    assert [recorded["verdict"], played["verdict"]] == ["passed", "passed"]
    assert played["total_tokens"] == recorded["total_tokens"] > 0


def test_a_played_case_needs_no_value_of_a_secret(bench: Bench) -> None:
    bench.write_tests(CASE)
    bench.outcome("--record")
    bench.go_offline()

    bench.write_tests({**CASE, "environment": {}})

    assert bench.outcome()["verdict"] == "passed"


def test_no_secret_is_in_the_cassette(bench: Bench, model: ModelServer) -> None:
    model.script({"reply": f"The key is {SECRET}, and {KEY}."})
    bench.write_tests(CASE)

    bench.outcome("--record")

    assert SECRET in model.requests()[-1].body["messages"][0]["content"]
    assert SECRET not in bench.cassette
    assert KEY not in bench.cassette
    assert "The key is [secret], and [secret]." in bench.cassette


def test_a_changed_prompt_is_a_stale_cassette(bench: Bench) -> None:
    bench.write_tests(CASE)
    bench.outcome("--record")
    bench.write_app(with_prompt("Be {{#conversation.tone#}} and brief. {{#env.shop#}}"))

    outcome = bench.outcome()

    assert outcome["verdict"] == "stale"
    (problem,) = outcome["problems"]
    assert problem == (
        'Stale cassette: node "Reply" (reply). Its request to the model has changed: messages[0].text: '
        'recorded "Be calm. [secret]", now "Be calm and brief. [secret]". '
        'Record it with: tidemill test flow_tests.yml --record --case "a"'
    )


def test_recording_again_mends_a_stale_cassette(bench: Bench) -> None:
    bench.write_tests(CASE)
    bench.outcome("--record")
    bench.write_app(with_prompt("Otherwise."))
    assert bench.outcome()["verdict"] == "stale"

    assert bench.outcome("--record", "--case", "a")["verdict"] == "passed"

    assert bench.outcome()["verdict"] == "passed"


def test_a_played_case_calls_nobody(bench: Bench, model: ModelServer) -> None:
    bench.write_tests(CASE)
    bench.outcome("--record")
    model.reset()
    bench.write_app(with_prompt("Otherwise."))

    bench.outcome()

    assert model.stats()["requests"] == 0


def test_other_models_than_recorded_are_stale(bench: Bench) -> None:
    bench.write_tests(CASE)
    bench.outcome("--record")
    bench.write_tests({**CASE, "models": {"openai/gpt-4o-mini": "openai/gpt-4o"}})

    outcome = bench.outcome()

    assert outcome["verdict"] == "stale"
    assert "other models" in outcome["problems"][0]


def test_a_cassette_that_is_not_there_is_told_with_the_command_that_makes_it(bench: Bench) -> None:
    bench.write_tests(CASE)

    outcome = bench.outcome()

    assert outcome["verdict"] == "error"
    assert "tapes/a.json is not there" in outcome["problems"][0]
    assert outcome["problems"][0].endswith('--record --case "a"')


def test_a_broken_cassette_is_an_error_of_its_case(bench: Bench) -> None:
    (bench.tidemill.folder / "tapes").mkdir()
    bench.tidemill.write("tapes/a.json", "{}")
    bench.write_tests(CASE)

    outcome = bench.outcome()

    assert (outcome["verdict"], "it is no cassette" in outcome["problems"][0]) == ("error", True)


def test_a_run_of_the_command_line_can_be_saved_and_played(bench: Bench, model: ModelServer) -> None:
    model.script({"reply": "Noon."})
    saved = ("run", "app.yml", "--query", "Hello", "--env", f"shop={SECRET}", "--save-cassette", "tapes/a.json")
    assert bench.tidemill(*saved).code == 0
    bench.go_offline()

    bench.write_tests({**CASE, "environment": {}, "expect": [{"equals": "Noon."}]})

    assert bench.outcome()["verdict"] == "passed"
    assert SECRET not in bench.cassette


def test_recorded_calls_are_no_events_of_the_command_line(bench: Bench) -> None:
    told = bench.tidemill("run", "app.yml", "--query", "Hello", "--save-cassette", "a.json", "--events")

    assert "call_recorded" not in told.out


# ---------------------------------------------------------------- expectations


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ({"equals": "Noon, 12."}, None),
        ({"equals": "noon"}, 'answer is not "noon": it is "Noon, 12.".'),
        ({"of": "reply.text", "contains": "oon"}, None),
        ({"contains": "low"}, 'answer does not contain "low": it is "Noon, 12.".'),
        ({"not_contains": "oon"}, 'answer contains "oon": it is "Noon, 12.".'),
        ({"of": "outputs.answer", "regex": "^No+n, [0-9]+"}, None),
        ({"regex": "^x"}, 'answer does not match "^x": it is "Noon, 12.".'),
        ({"regex": "("}, "is wrong"),
        ({"one_of": ["Noon, 12.", "Midnight."]}, None),
        ({"one_of": ["Midnight."]}, 'answer is none of ["Midnight."]: it is "Noon, 12.".'),
        ({"of": "reply.usage.total_tokens", "min": 1, "max": 10000}, None),
        ({"of": "reply.usage.total_tokens", "max": 1}, "reply.usage.total_tokens is over 1: it is"),
        ({"of": "reply.usage.total_tokens", "min": 10000}, "reply.usage.total_tokens is under 10000: it is"),
        ({"min": 1}, 'answer is not a number: it is "Noon, 12.".'),
        ({"of": "reply.usage", "json_schema": {"type": "object", "required": ["total_tokens"]}}, None),
        ({"of": "reply.usage", "json_schema": {"type": "object", "required": ["x"]}}, "does not fit its schema"),
        ({"json_schema": {"type": "object"}}, 'answer is not JSON: it is "Noon, 12.".'),
        ({"of": "status", "equals": "succeeded"}, None),
        ({"of": "outputs.nothing", "equals": 1}, "outputs.nothing: there is no nothing. It has: answer, files."),
        ({"of": "nobody.text", "equals": 1}, "nobody.text: no node nobody ran. Those that ran: start, reply, answer."),
        ({"of": "error", "equals": None}, None),
    ],
)
def test_each_check_holds_or_says_what_the_value_is(
    bench: Bench, model: ModelServer, check: dict[str, Any], problem: str | None
) -> None:
    model.script({"reply": "Noon, 12."})
    bench.write_tests(expecting(check))

    outcome = bench.outcome()

    assert outcome["verdict"] == ("failed" if problem else "passed"), outcome["problems"]
    assert not problem or problem in outcome["problems"][0]


def test_a_regex_bomb_ends_as_a_failed_case(bench: Bench, model: ModelServer) -> None:
    model.script({"reply": "x" * 80})
    bench.write_tests(expecting({"regex": "(?:(x+x+)+y|(x|xx)+z)$"}))

    assert "takes longer than 1 s" in bench.outcome()["problems"][0]


def test_a_failed_run_fails_its_case_unless_that_is_expected(bench: Bench) -> None:
    models = {"*": "openai/mock-err401"}
    bench.write_tests(
        expecting(models=models), {**expecting({"of": "status", "equals": "failed"}), "name": "b", "models": models}
    )

    unexpected, expected = bench.outcomes()

    assert (unexpected["verdict"], expected["verdict"]) == ("failed", "passed")
    assert unexpected["problems"][0].startswith("The run ended as failed: ")


def test_a_run_over_its_budget_fails(bench: Bench) -> None:
    bench.write_tests(
        expecting(budgets={"max_tokens": 1, "max_latency_s": 0, "max_cost": 0}, models={"*": "openai/gpt-4o"})
    )

    problems = bench.outcome()["problems"]

    assert [problem.split(";")[-1].strip() for problem in problems] == [
        "its budget is 0.",
        "its budget is 0 s.",
        "its budget is 1.",
    ]


def test_conversation_variables_and_inputs_are_the_cases_own(bench: Bench, model: ModelServer) -> None:
    bench.write_tests(expecting(conversation={"tone": "merry"}))

    bench.outcome()

    assert model.requests()[-1].body["messages"][0]["content"].startswith("Be merry.")


def test_a_judge_scores_and_is_played_too(bench: Bench, model: ModelServer) -> None:
    verdict = {"score": 0.4, "reason": "It is curt."}
    model.script({"match": "criterion", "reply": json.dumps(verdict)}, {"reply": "Noon."})
    judge = {"criteria": "It is friendly.", "model": "openai/gpt-4o-mini"}
    bench.write_tests({**CASE, "expect": [{"llm_judge": {**judge, "threshold": 0.8}}]})

    recorded = bench.outcome("--record")
    bench.go_offline()
    played = bench.outcome()

    problem = 'answer scores 0.4 of at least 0.8 for "It is friendly.": It is curt.'
    assert [recorded["problems"], played["problems"]] == [[problem], [problem]]


def test_a_judge_that_gives_no_score_fails_the_case(bench: Bench, model: ModelServer) -> None:
    model.script({"reply": "Fine!"})
    bench.write_tests(expecting({"llm_judge": {"criteria": "x", "model": "openai/gpt-4o-mini"}}))

    assert "gave no score" in bench.outcome()["problems"][0]


# ---------------------------------------------------------------- reports


def test_people_read_a_line_for_each_case(bench: Bench, model: ModelServer) -> None:
    model.script({"reply": "Noon."})
    bench.write_tests({"name": "good"}, {"name": "bad", "expect": [{"contains": "low"}]})

    told = bench.tidemill("test", "flow_tests.yml")

    assert told.code == 1
    lines = [re.sub(r"\d\.\d\d s", "T", line) for line in told.out.splitlines()]
    assert lines == [
        "PASS  good (live, T)",
        "FAIL  bad (live, T)",
        '      answer does not contain "low": it is "Noon.".',
        "1 passed, 1 failed",
    ]


def test_ci_reads_a_junit_report(bench: Bench, model: ModelServer) -> None:
    model.script({"reply": "Noon. \x01"})
    bench.write_tests(
        {"name": "good"}, {"name": "bad", "expect": [{"contains": "low"}]}, {**CASE, "name": "unrecorded"}
    )

    bench.tidemill("test", "flow_tests.yml", "--junit", "report.xml")

    (suite,) = ElementTree.parse(bench.tidemill.folder / "report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    good, bad, error = suite
    assert (good.get("name"), len(good)) == ("good", 0)
    assert [bad[0].tag, error[0].tag] == ["failure", "error"]


def test_a_case_can_be_chosen(bench: Bench) -> None:
    bench.write_tests({"name": "one"}, {"name": "two"})

    assert [outcome["name"] for outcome in bench.outcomes("--case", "two")] == ["two"]
    told = bench.tidemill("test", "flow_tests.yml", "--case", "three")
    assert (told.code, told.err) == (2, 'There is no case "three". Cases: one, two.\n')


# ---------------------------------------------------------------- files that are wrong


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("cases: [", "t.yml: Line 2: this is not valid YAML"),
        ("- a", "t.yml: this is no test file; it has to hold a list of `cases`."),
        ("app: app.yml", "t.yml, line 1: `cases` is missing."),
        ("cases: []", "t.yml, line 1: `cases` is empty; give at least one."),
        ("app: app.yml\ncases:\n- query: x", "t.yml, line 3, case 1: `name` is missing."),
        ("cases:\n- name: a", 't.yml, line 2, case "a": `app` is missing. Name an app file.'),
        ("app: app.yml\ncases:\n- name: a\n- name: a", 't.yml, line 4: two cases are named "a"'),
        ("cases:\n- {name: a, app: nope.yml}", 't.yml, line 2, case "a": nope.yml cannot be read'),
        (
            "app: app.yml\ncases:\n- name: a\n  expect:\n  - contians: x",
            't.yml, line 5, case "a": `expect.0.contians` is not known here. Did you mean `contains`?',
        ),
        ("app: app.yml\ncases:\n- name: a\n  expect:\n  - of: x", "this expectation checks nothing"),
        (
            "app: app.yml\ncases:\n- name: a\n  budgets:\n    max_tokens: many",
            't.yml, line 5, case "a": `budgets.max_tokens` has to be a whole number.',
        ),
        ("app: app.yml\ncases:\n- name: a\n  expect: x", 'line 4, case "a": `expect` has to be a list.'),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_sentence_with_line_and_case(bench: Bench, content: str, sentence: str) -> None:
    bench.tidemill.write("t.yml", content)

    told = bench.tidemill("test", "t.yml")

    assert told.code == 2
    assert told.out == ""
    assert sentence in told.err
    assert told.err.count("\n") == 1


def test_a_missing_file_is_told(bench: Bench) -> None:
    told = bench.tidemill("test", "gone.yml")

    assert (told.code, told.err) == (2, "gone.yml cannot be read: no such file or directory.\n")


# ---------------------------------------------------------------- the guide


def test_the_guides_example_is_recorded_and_played_as_it_stands(bench: Bench, model: ModelServer) -> None:
    app, tests = re.findall(r"^```yaml\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    bench.tidemill.write("support.yml", app)
    bench.tidemill.write("flow_tests.yml", tests)
    model.script({"reply": "We open at seven."})

    recorded = bench.outcome("--record")
    bench.go_offline()
    played = bench.outcome()
    bench.tidemill.write("support.yml", app.replace("harbour", "museum"))
    stale = bench.outcome()

    assert [recorded["verdict"], played["verdict"], stale["verdict"]] == ["passed", "passed", "stale"]
    assert stale["problems"][0] in GUIDE.read_text("utf-8")
