"""The SQL tool on a real PostgreSQL server."""

import json
from collections.abc import Iterator

import pytest

from support.postgres import Server
from tidemill.adapters.databases import NamedDatabases
from tidemill.ports import Databases, ToolFailed
from tools.vendors import Bench, sentence_of

DATABASE = "tidemill_sql_tool"


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    postgres.sql(f"CREATE DATABASE {DATABASE}")
    postgres.sql(
        "CREATE TABLE item (id int, name text, price numeric(10,2), at timestamptz, tags text[]);"
        "INSERT INTO item VALUES (1, '湖', 1.50, '2024-01-01 00:00:00+00', '{a,b}')",
        database=DATABASE,
    )
    yield f"postgresql+asyncpg://{postgres.user}:{postgres.password}@{postgres.host}:{postgres.port}/{DATABASE}"
    postgres.sql(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture
def desk(bench: Bench, url: str) -> Bench:
    bench.ports[Databases] = NamedDatabases(f"shop={url}", timeout_s=1)
    return bench


async def ask(desk: Bench, statement: str) -> str:
    return (await desk.run("database", "sql_execute", {"query": statement})).text


async def test_rows_are_given_as_json_values(desk: Bench):
    assert json.loads(await ask(desk, "SELECT * FROM item")) == [
        {"id": 1, "name": "湖", "price": 1.5, "at": "2024-01-01T00:00:00+00:00", "tags": ["a", "b"]}
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM item",
        "CREATE TABLE other (a int)",
        "WITH gone AS (DELETE FROM item RETURNING *) SELECT * FROM gone",
        "SELECT 1; DELETE FROM item",
        "COMMIT",
        "SET default_transaction_read_only = off",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "DO $$ BEGIN DELETE FROM item; END $$",
        "COPY item TO '/tmp/stolen'",
    ],
)
async def test_a_statement_that_does_more_than_read_changes_nothing(desk: Bench, postgres: Server, statement: str):
    said = await sentence_of(ask(desk, statement))

    assert said == "" or said.endswith(".")
    assert postgres.sql("SELECT count(*) FROM item", database=DATABASE) == "1"
    assert postgres.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'other'", database=DATABASE) == "0"
    with pytest.raises(ToolFailed, match="only reads"):
        await ask(desk, "DELETE FROM item")


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("SELECT * FROM nothing", 'relation "nothing" does not exist'),
        ("SELECT pg_sleep(30)", "longer than 1 seconds"),
        ("SELECT count(*) FROM generate_series(1, 1000000000000)", "longer than 1 seconds"),
    ],
)
async def test_wrong_and_endless_statements_end_with_a_sentence(desk: Bench, statement: str, sentence: str):
    with pytest.raises(ToolFailed, match=sentence):
        await ask(desk, statement)


async def test_a_server_that_is_not_there_is_said_without_the_password(bench: Bench):
    bench.ports[Databases] = NamedDatabases("shop=postgresql://u:hidden@127.0.0.1:1/db")

    with pytest.raises(ToolFailed, match="refused the statement") as caught:
        await ask(bench, "SELECT 1")

    assert "hidden" not in str(caught.value)
