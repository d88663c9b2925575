"""No template harms the server: bounded in time, memory and length, on copies of its values."""

import asyncio
import random
import string
import time

import psutil
import pytest
import pytest_asyncio

from tidemill.adapters.template_bounds import bounds_of, size_of
from tidemill.adapters.templates import Limits, SafeTemplates
from tidemill.engine.values import File
from tidemill.ports import TemplateFailed


@pytest_asyncio.fixture
async def templates():
    made = SafeTemplates(Limits(time_s=2.0, memory_bytes=256 * 1024 * 1024))
    yield made
    await made.close()


def processes() -> list[int]:
    """The template workers of this process. Other tests may have left servers of their own running."""
    return [child.pid for child in psutil.Process().children(recursive=True) if _is_template_worker(child)]


def _is_template_worker(process: psutil.Process) -> bool:
    try:
        return any("template_worker" in word for word in process.cmdline())
    except psutil.Error:
        return False


BLOWUPS = {
    "doubling": "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}"
    "{{ ns.s }}",
    "replace": "{% set a = 'x' * 10000 %}{{ a|replace('x', a)|replace('x', a)|replace('x', a) }}",
    "a gigabyte": "{% for i in range(100000) %}{{ filler }}{% endfor %}",
    "nested loops": "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}"
    "{% endfor %}{% endfor %}",
    "center": "{{ 'x'|center(3000000000) }}",
    "repeat": "{{ 'x' * 2000000000 }}",
    "power": "{{ 10 ** (10 ** 7) }}",
    "format": "{{ '%02000000000d'|format(1) }}",
    "join": "{% set l = range(10000)|list %}{{ l|join(filler)|length }}{{ l|join(l|join(filler)) }}",
    "recursive macro": "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "growing list": "{% set l = [1] %}{% for i in range(60) %}{% set _ = l.extend(l) %}{% endfor %}{{ l|length }}",
}


@pytest.mark.parametrize("name", BLOWUPS)
async def test_a_template_that_grows_without_end_fails_and_the_next_one_works(templates: SafeTemplates, name: str):
    values = {"filler": "f" * 10_000}
    before = psutil.Process().memory_info().rss
    began = time.monotonic()

    with pytest.raises(TemplateFailed) as failure:
        await templates.render(BLOWUPS[name], values, max_chars=400_000)

    assert str(failure.value).endswith(".")
    assert time.monotonic() - began < 4
    assert psutil.Process().memory_info().rss - before < 100 * 1024 * 1024
    assert await templates.render("{% for i in [1, 2] %}{{ i }}{% endfor %}", {}, max_chars=10) == "12"


async def test_a_slow_template_leaves_the_event_loop_free(templates: SafeTemplates) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    with pytest.raises(TemplateFailed):
        await templates.render(BLOWUPS["nested loops"], {}, max_chars=10)
    ticking.cancel()

    assert ticks > 20


async def test_watching_from_outside_ends_a_process_that_takes_too_much_memory():
    # 4 GB by the system's limit, 60 MB by ours: only the watch can end it.
    watched = SafeTemplates(Limits(memory_bytes=60 * 1024 * 1024, time_s=20), watches_memory=True, system_limit=False)
    try:
        with pytest.raises(TemplateFailed, match="60 MB of memory"):
            await watched.render(BLOWUPS["a gigabyte"], {"filler": "f" * 10_000}, max_chars=10**12)
    finally:
        await watched.close()

    assert processes() == []


async def test_output_over_the_limit_names_both_lengths(templates: SafeTemplates):
    with pytest.raises(TemplateFailed, match="has 11 characters; the limit is 10"):
        await templates.render("{{ x }}", {"x": "a" * 11}, max_chars=10)


async def test_a_template_cannot_change_the_values_it_was_given(templates: SafeTemplates):
    values = {"l": [1], "d": {"a": {"b": 1}}}

    text = await templates.render("{{ l.append(2) }}{{ d.a.update({'b': 2}) }}{{ l }}{{ d }}", values, max_chars=100)

    assert text == "NoneNone[1, 2]{'a': {'b': 2}}"
    assert values == {"l": [1], "d": {"a": {"b": 1}}}


@pytest.mark.parametrize(
    "source",
    [
        "{{ l.__class__ }}|",
        "{{ ''.__class__.__mro__ }}|",
        "{{ d|attr('__class__') }}|",
        "{{ l['__class__'] }}|",
    ],
)
async def test_python_internals_are_out_of_reach(templates: SafeTemplates, source: str):
    try:
        text = await templates.render(source, {"l": [1], "d": {}}, max_chars=1000)
    except TemplateFailed:
        text = "|"

    assert text == "|"


async def test_files_are_dicts_in_templates(templates: SafeTemplates):
    file = File(type="image", transfer_method="remote_url", remote_url="https://a.example/x.png", filename="x.png")

    assert await templates.render("{{ f.filename }} {{ fs[0].type }}", {"f": file, "fs": [file]}, max_chars=99) == (
        "x.png image"
    )


async def test_a_variable_may_have_any_name(templates: SafeTemplates):
    assert (
        await templates.render("{{ source }}{{ name }}{{ values }}", {"source": 1, "name": 2, "values": 3}, max_chars=9)
        == "123"
    )
    assert await templates.render("ok", {"self": 1, "a-b": 2}, max_chars=9) == "ok"


async def test_a_very_large_integer_is_shown_in_full(templates: SafeTemplates):
    assert await templates.render("{{ n }}", {"n": 10**50}, max_chars=99) == str(10**50)


async def test_a_value_nested_too_deeply_is_refused(templates: SafeTemplates):
    deep: list[object] = []
    for _ in range(500):
        deep = [deep]

    with pytest.raises(TemplateFailed, match="nested deeper than 100"):
        await templates.render("{{ x }}", {"x": deep}, max_chars=10_000)


async def test_inputs_over_the_limit_are_refused():
    small = SafeTemplates(Limits(input_chars=100))

    with pytest.raises(TemplateFailed, match="too large"):
        await small.render("{{ x }}", {"x": "a" * 2000}, max_chars=10_000)


async def test_one_process_serves_many_templates_and_is_replaced_after_its_share():
    few = SafeTemplates(Limits(renders_per_worker=3, workers=1))
    loop = "{% for i in [n] %}{{ i }}{% endfor %}"
    seen: list[int] = []
    try:
        for n in range(6):
            assert await few.render(loop, {"n": n}, max_chars=9) == str(n)
            seen += processes()
    finally:
        await few.close()

    assert len(set(seen)) == 2
    assert processes() == []


async def test_no_process_runs_before_one_is_needed_nor_long_after():
    lazy = SafeTemplates(Limits(idle_s=0.05))
    await lazy.render("{{ x }}", {"x": 1}, max_chars=9)
    assert processes() == []

    await lazy.render("{% set a = 1 %}{{ a }}", {}, max_chars=9)
    assert len(processes()) == 1
    deadline = time.monotonic() + 5
    while lazy.live_workers or processes():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)

    assert await lazy.render("{% set a = 2 %}{{ a }}", {}, max_chars=9) == "2"
    await lazy.close()


async def test_a_cancelled_render_ends_its_process(templates: SafeTemplates):
    task = asyncio.create_task(templates.render(BLOWUPS["nested loops"], {}, max_chars=9))
    while not processes():
        await asyncio.sleep(0.01)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert processes() == []


async def test_a_process_that_died_while_idle_is_replaced(templates: SafeTemplates):
    source = "{% set a = 1 %}{{ a }}"
    await templates.render(source, {}, max_chars=9)
    for pid in processes():
        child = psutil.Process(pid)
        child.kill()
        child.wait(5)

    assert await templates.render(source, {}, max_chars=9) == "1"


async def test_many_at_once_share_the_processes(templates: SafeTemplates):
    source = "{% for i in range(n) %}{{ i }}{% endfor %}"

    texts = await asyncio.gather(*(templates.render(source, {"n": n}, max_chars=999) for n in range(30)))

    assert texts == ["".join(map(str, range(n))) for n in range(30)]
    assert len(processes()) <= 2


# ---------------------------------------------------------------- the proof


@pytest.mark.parametrize(
    "source",
    [
        "{% for x in y %}{% endfor %}",
        "{{ a ~ b }}",
        "{{ a * 9 }}",
        "{{ a + a }}",
        "{{ a|replace('a', 'b') }}",
        "{{ a|join(b) }}",
        "{{ a|format(b) }}",
        "{{ '%099d'|format(1) }}",
        "{{ a.center(9) }}",
        "{{ f(1) }}",
        "{% set a = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{# comment #}",
        "{% raw %}x{% endraw %}",
        "{% if a.b(1) %}{% endif %}",
        "{% if a|center(9) %}{% endif %}",
        "{{ '{{' }}",
        "{{ a|round(99) }}",
        "{{ a|default(b * 9) }}",
        "{{ a",
        "{{{ a }}}",
        "{{ a|indent(9) }}",
        "{{ a|e(1) }}",
        "{{ a|trimmed }}",
    ],
)
def test_what_could_grow_is_not_proven(source: str):
    assert bounds_of(source) is None


def test_the_proof_takes_linear_time_on_hostile_sources():
    hostile = ["{% if " + "a " * 50_000, "{% if " + "a" * 100_000, "{{ " + "a.b" * 50_000, "{{ a" + "|e" * 50_000 + "!"]
    began = time.monotonic()

    assert [bounds_of(source) for source in hostile] == [None] * 4
    assert time.monotonic() - began < 1


async def test_no_proven_output_is_longer_than_its_bound(templates: SafeTemplates):
    random.seed(7)
    filters = ["upper", "lower", "trim", "title", "e", "tojson", "string", "first", "capitalize", "default('zz', true)"]
    alphabet = string.printable + "ßŉé中\U0001f600\x01'\"<&"
    for _ in range(300):
        text = "".join(random.choice(alphabet) for _ in range(random.randrange(40)))
        value = random.choice(
            [text, [text, None, 1.5], {"k": text, text: [text]}, 10 ** random.randrange(38), -1e-300, True]
        )
        chain = "|".join(["x", *random.choices(filters, k=random.randrange(4))])
        source = f"a{{{{ {chain} }}}}b{{% if x == 'q' %}}{{{{ x }}}}{{% else %}}c{{% endif %}}"
        bounds = bounds_of(source)
        assert bounds is not None, source

        try:
            rendered = await templates.render(source, {"x": value}, max_chars=10**9)
        except TemplateFailed:
            continue

        assert len(rendered) <= bounds.most_chars({"x": size_of(value)})


async def test_a_template_proven_small_is_rendered_now_and_any_other_is_not(templates: SafeTemplates):
    assert templates.render_now("Hi {{ name }}", {"name": "Ada"}, max_chars=100) == "Hi Ada"
    assert templates.render_now("{% for i in range(n) %}x{% endfor %}", {"n": 3}, max_chars=100) is None
    assert await templates.render("{% for i in range(n) %}x{% endfor %}", {"n": 3}, max_chars=100) == "xxx"


async def test_rendering_now_fails_as_rendering_does(templates: SafeTemplates):
    with pytest.raises(TemplateFailed):
        templates.render_now("{{ name }}", {"name": "Ada"}, max_chars=1)
