"""The SQL tool on real databases: a SQLite file, and PostgreSQL in `test_database_postgresql.py`."""

import json
import sqlite3
from pathlib import Path

import pytest

from tidemill.adapters.databases import ConnectionsInvalid, NamedDatabases, parse_connections
from tidemill.ports import Databases, ToolFailed
from tools.vendors import Bench


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop of ours.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL, picture BLOB)")
        db.execute("INSERT INTO item VALUES (1, '湖|x', 1.5, x'0102'), (2, 'b', NULL, NULL)")
    db.close()
    return path


def bytes_of(path: Path) -> bytes:
    return path.read_bytes()


@pytest.fixture
def desk(bench: Bench, shop: Path) -> Bench:
    bench.ports[Databases] = NamedDatabases(f"shop=sqlite:///{str(shop).replace(' ', '%20')}", timeout_s=1)
    return bench


async def ask(desk: Bench, statement: str, **arguments: str) -> str:
    arguments = {"query": statement, "format": "json", **arguments}
    return (await desk.run("hjlarry/database/database", "sql_execute", arguments)).text


async def test_rows_are_given_as_json(desk: Bench):
    assert json.loads(await ask(desk, "SELECT * FROM item ORDER BY id")) == [
        {"id": 1, "name": "湖|x", "price": 1.5, "picture": "AQI="},
        {"id": 2, "name": "b", "price": None, "picture": None},
    ]


async def test_rows_are_given_as_a_table_and_as_a_file(desk: Bench):
    statement = "SELECT id, name FROM item ORDER BY id"

    table = await desk.run("database", "sql", {"sql_string": statement, "output_format": "markdown"})
    file = await desk.run("db_query", "sql_query", {"query_sql": statement, "output_format": "csv"})

    assert table.text == "| id | name |\n| --- | --- |\n| 1 | 湖\\|x |\n| 2 | b |"
    assert desk.data(file).decode("utf-8-sig") == "id,name\r\n1,湖|x\r\n2,b\r\n"


async def test_a_query_with_a_common_table_and_functions_reads(desk: Bench):
    statement = (
        "WITH r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r WHERE n < 3) SELECT group_concat(upper(n)) AS all_n FROM r"
    )

    assert json.loads(await ask(desk, statement)) == [{"all_n": "1,2,3"}]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM item",
        "INSERT INTO item VALUES (3, 'c', 1, NULL)",
        "UPDATE item SET name = 'x'",
        "CREATE TABLE other (a)",
        "DROP TABLE item",
        "PRAGMA query_only = OFF",
        "PRAGMA database_list",
        "ATTACH DATABASE '/etc/passwd' AS x",
        "VACUUM INTO '/tmp/stolen.db'",
        "SELECT load_extension('x')",
        "BEGIN",
    ],
)
async def test_a_statement_that_does_more_than_read_is_refused(desk: Bench, shop: Path, statement: str):
    before = bytes_of(shop)

    with pytest.raises(ToolFailed, match=r"only reads|refused"):
        await ask(desk, statement)

    assert bytes_of(shop) == before


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("SELECT * FROM absent", "no such table"),
        ("SELEKT 1", "syntax error"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("", "no SQL statement"),
        ("SELECT zeroblob(100000000)", "too big"),
        ("WITH r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r) SELECT count(*) FROM r", "longer than 1 seconds"),
    ],
)
async def test_wrong_and_endless_statements_end_with_a_sentence(desk: Bench, statement: str, sentence: str):
    with pytest.raises(ToolFailed, match=sentence):
        await ask(desk, statement)


async def test_many_rows_are_cut_and_the_answer_says_so(desk: Bench):
    statement = "WITH r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r WHERE n < 5000) SELECT n FROM r"

    found = await desk.run("database", "sql_execute", {"query": statement})

    assert len(found.json[0]["result"]) == 1000
    assert found.json[0]["is_cut"] is True


async def test_only_connections_of_the_administrator_can_be_named(bench: Bench, shop: Path):
    url = f"sqlite:///{str(shop).replace(' ', '%20')}"
    bench.ports[Databases] = NamedDatabases(f"a={url} b={url}")

    with pytest.raises(ToolFailed, match="one of: a, b"):
        await ask(bench, "SELECT 1")
    with pytest.raises(ToolFailed, match="no database connection"):
        await ask(bench, "SELECT 1", connection="sqlite:////etc/passwd")


async def test_without_connections_the_setting_is_named(bench: Bench):
    bench.ports[Databases] = NamedDatabases("")

    with pytest.raises(ToolFailed, match="TIDEMILL_SQL_CONNECTIONS"):
        await ask(bench, "SELECT 1")


async def test_a_file_that_is_not_there_is_not_made(bench: Bench, tmp_path: Path):
    bench.ports[Databases] = NamedDatabases(f"a=sqlite:///{tmp_path}/none.db")

    with pytest.raises(ToolFailed, match=r"cannot be opened|refused"):
        await ask(bench, "SELECT 1")

    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(
    "text", ["postgresql://u:secret@h/db", "a=mysql://u:secret@h/db", "a b=secret", "a/b=sqlite:///x"]
)
def test_a_wrong_setting_is_refused_without_showing_it(text: str):
    with pytest.raises(ConnectionsInvalid, match=r"Entry [12]") as caught:
        parse_connections(text)

    assert "secret" not in str(caught.value)
