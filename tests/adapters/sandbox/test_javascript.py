from __future__ import annotations

import pytest

from adapters.sandbox.conftest import Open, failure, javascript
from tidemill.adapters.sandbox import CodeSandbox


@pytest.fixture
def sandbox(opened: Open) -> CodeSandbox:
    return opened()


async def test_the_inputs_are_one_object(sandbox: CodeSandbox):
    code = "function main({text, 数}) { return {text: text.toUpperCase(), n: 数 + 1, u: undefined, d: new Date(0)} }"

    assert await javascript(sandbox, code, text="é中😀", 数=1) == {
        "text": "É中😀",
        "n": 2,
        "d": "1970-01-01T00:00:00.000Z",
    }


@pytest.mark.parametrize(
    "code",
    [
        "const main = (inputs) => ({x: inputs.a})",
        "async function main(inputs) { await null; return {x: inputs.a} }",
        "var main = function (inputs) { loose = inputs.a; return {x: loose} }",
        "function helper(a) { return a }\nfunction main({a}) { return {x: helper(a)} } // the end",
    ],
)
async def test_main_may_be_written_in_any_way(sandbox: CodeSandbox, code: str):
    assert await javascript(sandbox, code, a=5) == {"x": 5}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("function main() {\n  null.x\n}", "TypeError: Cannot read properties of null (reading 'x') (line 2)"),
        ("function main() { throw new Error('no') }", "Error: no (line 1)"),
        ("function main() { throw 'text' }", "text"),
        ("function other() {}", "TypeError: the code defines no function main"),
        ("function main( {", "SyntaxError: "),
        ("function main() { const a = {}; a.a = a; return a }", "TypeError: Converting circular structure to JSON"),
    ],
)
async def test_an_error_is_the_interpreters_own(sandbox: CodeSandbox, code: str, message: str):
    assert (await failure(javascript(sandbox, code))).startswith(message)


async def test_large_numbers_come_as_numbers(sandbox: CodeSandbox):
    result = await javascript(sandbox, "function main() { return {a: 1e21, b: 2 ** 53, c: 1.0, d: 0.1} }")

    assert result == {"a": 1e21, "b": 2**53, "c": 1, "d": 0.1}


async def test_what_is_not_a_number_becomes_null(sandbox: CodeSandbox):
    assert await javascript(sandbox, "function main() { return {a: NaN, b: 1 / 0} }") == {"a": None, "b": None}
