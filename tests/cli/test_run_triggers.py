"""Files that begin with a trigger, run by hand."""

from __future__ import annotations

import json

from cli.conftest import FIXTURES, CommandLine

HOOK = FIXTURES / "v0.5.0-webhook.yml"


def test_the_inputs_are_the_payload_of_the_webhook(tidemill: CommandLine) -> None:
    told = tidemill("run", HOOK, "-i", "X_Shop_Id=7", "-i", 'order={"id": 5}', "-i", "dry_run=yes")

    assert (told.code, told.err) == (0, "")
    assert json.loads(told.out) == {"line": "Order 5"}


def test_a_missing_value_is_named_with_the_word_to_add(tidemill: CommandLine) -> None:
    told = tidemill("run", HOOK, "-i", "X_Shop_Id=7")

    assert told.code == 2
    assert "`order` is required" in told.err
    assert "-i order=VALUE" in told.err


def test_a_value_of_another_type_is_refused(tidemill: CommandLine) -> None:
    told = tidemill("run", HOOK, "-i", "X_Shop_Id=7", "-i", "order=[1]")

    assert told.code == 2
    assert "`order` must be an object" in told.err


def test_a_value_may_come_from_a_file(tidemill: CommandLine) -> None:
    order = tidemill.write("order.json", '{"id": "from a file"}')

    told = tidemill("run", HOOK, "-i", "X_Shop_Id=7", "-i", f"order=@{order}")

    assert json.loads(told.out) == {"line": "Order from a file"}


def test_a_schedule_runs_at_the_moment_it_is_started(tidemill: CommandLine) -> None:
    file = tidemill.write(
        "morning.yml",
        """
        kind: app
        version: 0.5.0
        app: {mode: workflow, name: Morning}
        workflow:
          graph:
            nodes:
            - {id: t, data: {type: trigger-schedule, title: T, mode: cron, cron_expression: '@daily'}}
            - id: e
              data: {type: end, title: E, outputs: [{variable: at, value_selector: [sys, timestamp]},
                {variable: here, value_selector: [t, sys, timestamp]}]}
            edges: [{source: t, target: e}]
        """,
    )

    told = tidemill("run", file)

    outputs = json.loads(told.out)
    assert outputs["at"] == outputs["here"] > 1_700_000_000
