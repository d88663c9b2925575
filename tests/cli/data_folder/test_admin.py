from __future__ import annotations

import io

import pytest

from cli.conftest import CommandLine
from cli.data_folder.conftest import PASSWORD


def test_init_makes_the_owner_once(empty: CommandLine) -> None:
    words = ["admin", "init", "--email", "Ada@Example.com", "--password", PASSWORD]

    first, second = empty(*words), empty(*words)

    assert (first.code, first.out) == (0, "ada@example.com owns this installation.\n")
    assert (second.code, second.err) == (2, "This installation has an owner already. Sign in instead.\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--email", "ada", "--password", PASSWORD], "ada is not an email address.\n"),
        (["--email", "ada@example.com", "--password", "short"], "A password has 8 to 128 characters."),
        (
            ["--email", "ada@example.com", "--password", PASSWORD, "--language", "fr"],
            "fr is not a language of the console. Choose en or zh-Hans.\n",
        ),
    ],
)
def test_init_says_what_it_cannot_take(empty: CommandLine, words: list[str], sentence: str) -> None:
    told = empty("admin", "init", *words)

    assert told.code == 2
    assert told.err.startswith(sentence.split(" has ")[0])
    assert told.err.count("\n") == 1


def test_a_password_can_come_from_standard_input(empty: CommandLine, environment: pytest.MonkeyPatch) -> None:
    environment.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))

    assert empty("admin", "init", "--email", "ada@example.com", "--password", "-").code == 0


def test_a_further_account_needs_an_owner_first(empty: CommandLine) -> None:
    told = empty("admin", "create-user", "--email", "bob@example.com", "--password", PASSWORD)

    assert told.code == 2
    assert told.err.startswith("There is no owner yet.")


def test_a_further_account_can_be_made(owned: CommandLine) -> None:
    words = ["admin", "create-user", "--email", "bob@example.com", "--password", PASSWORD, "--role", "member"]

    first, second = owned(*words), owned(*words)

    assert (first.code, first.out) == (0, "bob@example.com can sign in as member.\n")
    assert second.code == 2


def test_a_password_can_be_reset(owned: CommandLine) -> None:
    told = owned("admin", "reset-password", "--email", "ada@example.com", "--password", "another fine password")
    unknown = owned("admin", "reset-password", "--email", "nobody@example.com", "--password", "another fine one")

    assert told.code == 0
    assert (unknown.code, unknown.err) == (2, "There is no account for nobody@example.com.\n")


def test_a_token_is_one_line(owned: CommandLine) -> None:
    told = owned("admin", "token")

    assert told.code == 0
    assert len(told.out.strip()) > 30
    assert owned("admin", "token", "--email", "nobody@example.com").code == 2
