"""Templates give what Jinja2 gives. The corpus holds what the templates of published apps are made of."""

import pytest
import pytest_asyncio
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tidemill.adapters.templates import Limits, SafeTemplates
from tidemill.ports import TemplateFailed

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALUES = {
    "name": "Ada",
    "text": "  The quick brown fox jumps over the lazy dog, again and again.  ",
    "chinese": "你好，世界",
    "count": 3,
    "price": 1234.5,
    "ratio": 0.1 + 0.2,
    "yes": True,
    "no": False,
    "nothing": None,
    "empty": "",
    "items": ["pear", "apple", "fig"],
    "numbers": [3, 1, 2],
    "mixed": [1, "a", None, True, 2.5],
    "user": {"name": "Bo", "tags": ["x", "y"], "age": 41, "address": {"city": "Köln"}},
    "rows": [
        {"title": "One", "url": "https://a.example", "content": "First <b>", "score": 0.5},
        {"title": "Two", "url": "https://b.example", "content": "Second & last", "score": 0.25},
    ],
    "html": '<a href="x">A & B\'s</a>',
    "csv": "a,b,c",
    "lines": "one\ntwo\n\nthree",
    "json": {"z": 1, "a": [1.0, None, True], "é": "ü"},
}

# What the in-process path is made for.
SIMPLE = [
    "plain text, no tags",
    "",
    "one line\n",
    "two lines\n\n",
    "Hello {{ name }}!",
    "{{name}}{{count}}{{price}}",
    "{{ ratio }} {{ yes }} {{ no }} {{ nothing }}",
    "{{ missing }}|",
    "{{ user.name }} {{ user['name'] }} {{ user.address.city }} {{ user.missing }}|",
    "{{ items[0] }} {{ items[-1] }} {{ items[9] }}|",
    "{{ rows[0].title }}: {{ rows[1]['content'] }}",
    "{{ items }} {{ mixed }} {{ numbers }}",
    "{{ user }}",
    "{{ chinese }} {{ chinese | length }}",
    "{{ text | trim }}|{{ text|upper }}|{{ text|lower }}|{{ name|title }}|{{ lines|capitalize }}",
    "{{ json | tojson }} {{ chinese|tojson }} {{ html|tojson }} {{ nothing|tojson }} {{ yes|tojson }}",
    "{{ html | e }} {{ html|escape }} {{ html|safe }}",
    "{{ missing | default('none given') }} {{ empty|default('x') }} {{ empty|default('x', true) }}",
    "{{ nothing | default('x') }} {{ nothing|d('x', true) }}",
    "{{ '12'|int }} {{ '1.5'|int }} {{ 'abc'|int }} {{ '1.5'|float }} {{ name|float }} {{ price|int }}",
    "{{ price | round }} {{ ratio|round(2) }} {{ count|abs }}",
    "{{ items|first }} {{ items|last }} {{ items|count }} {{ count|string }}",
    "{{- name -}} x {{- name }}",
    "{% if yes %}on{% else %}off{% endif %}",
    "{% if no %}a{% elif count == 3 %}b{% else %}c{% endif %}",
    "{% if count > 2 and count <= 3 or no %}in{% endif %}",
    "{% if not missing %}nothing there{% endif %}",
    "{% if missing is defined %}a{% else %}b{% endif %}{% if nothing is none %}c{% endif %}",
    "{% if name == 'Ada' %}hello{% endif %}{% if 'fig' in items %} has a fig{% endif %}",
    "{% if items %}\n  some\n{% endif %}\nend",
    "{%- if yes -%}  tight  {%- endif -%}  x",
    "{{ 'quoted' }} {{ \"double\" }} {{ 42 }} {{ 1.5 }}",
    '{"x": 10, "text": "{{ name }}", "size": "{{ count|float }}"}',
    "<svg><text>{{ name }}</text></svg>\r\n<p>{{ chinese }}</p>\r\n",
]

# What is rendered apart.
GENERAL = [
    "{% for item in items %}- {{ item }}\n{% endfor %}",
    "{% for item in items %}{{ loop.index }}/{{ loop.length }} {{ loop.first }} {{ loop.last }};{% endfor %}",
    "{% for row in rows -%}\n|{{row.title}}|{{row.url}}|\n{% endfor %}",
    '{% for item in items %}\n<doc id="{{ loop.index }}">\n{{ item }}\n</doc>\n{% endfor %}',
    "{% for item in missing %}x{% else %}empty{% endfor %}",
    "{% for key, value in user.items() %}{{ key }}={{ value }};{% endfor %}",
    "{% for key in user %}{{ key }} {% endfor %}",
    "{% for n in numbers if n > 1 %}{{ n }},{% endfor %}",
    "{% for a in numbers %}{% for b in items %}{{ a }}{{ b[0] }}{{ loop.index0 }} {% endfor %}{% endfor %}",
    "{% for n in range(3) %}{{ n }}{% endfor %} {% for n in range(2, 8, 2) %}{{ n }}{% endfor %}",
    "{% for n in numbers %}{{ loop.cycle('odd', 'even') }} {% endfor %}",
    "{% set total = count * 2 %}{{ total }}",
    "{% set ns = namespace(sum=0) %}{% for n in numbers %}{% set ns.sum = ns.sum + n %}{% endfor %}{{ ns.sum }}",
    "{% set block %}captured {{ name }}{% endset %}{{ block|upper }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% with x = count %}{{ x }}{% endwith %}",
    "{% macro card(title, url='#') %}[{{ title }}]({{ url }}){% endmacro %}{{ card('A') }} {{ card('B', url='u') }}",
    "{{ items | join(', ') }} {{ numbers|join }} {{ mixed|join('-') }}",
    '{{ items | join("\\n") }}',
    "{{ rows | map(attribute='title') | join(' / ') }}",
    "{{ rows|selectattr('score', 'gt', 0.3)|map(attribute='title')|list }}",
    "{{ rows|rejectattr('score', 'gt', 0.3)|list|length }} {{ numbers|select('odd')|list }}",
    "{{ rows|sort(attribute='score')|map(attribute='title')|join }} {{ numbers|sort(reverse=true) }}",
    "{{ rows|sum(attribute='score') }} {{ numbers|sum }} {{ numbers|max }} {{ numbers|min }}",
    "{{ rows|groupby('title')|length }} {{ user|dictsort }} {{ numbers|unique|list }}",
    "{{ items|batch(2)|list }} {{ items|slice(2)|list }} {{ items|reverse|list }}",
    "{{ text|trim|truncate(20) }} {{ text|truncate(20, true) }} {{ text|trim|truncate(12, false, '~') }}",
    "{{ chinese|truncate(4) }} {{ chinese|truncate(4, true, '', 0) }} {{ text|truncate(length=15, killwords=true) }}",
    "|{{ name|center(9) }}|{{ name|center }}|",
    "{{ text|wordcount }} {{ text|trim|wordwrap(20) }}",
    "{{ text|replace('quick', 'slow') }} {{ name|replace('d', '') }}",
    "{{ lines|indent(2) }} {{ lines|indent(2, true) }}",
    "{{ html|striptags }} {{ html|urlencode }} {{ html|forceescape }}",
    "{{ '%s is %d'|format(name, count) }} {{ '%.2f'|format(price) }} {{ '{} {:>5}'.format(name, count) }}",
    "{{ name ~ ' & ' ~ count ~ yes ~ nothing }}",
    "{{ name * 2 }} {{ count + 1 }} {{ count / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ 2 ** 8 }}",
    "{{ numbers + items }} {{ (count, name) }} {{ [count, name] }} {{ {'k': count} }}",
    "{{ csv.split(',') }} {{ csv.split(',')[1] }} {{ csv.split(',', 1) }}",
    "{{ lines.splitlines() }} {{ text.strip() }} {{ name.upper() }}{{ name.lower() }} {{ text.strip().title() }}",
    "{{ name.startswith('A') }} {{ name.endswith('x') }} {{ name.replace('A', 'E') }} {{ text.find('quick') }}",
    "{{ user.get('name') }} {{ user.get('zz') }} {{ user.get('zz', 'fallback') }} {{ user.keys()|list }}",
    "{{ user.values()|list|length }} {{ name.isdigit() }} {{ csv.count(',') }}",
    "{{ text[2:11] }} {{ name[::-1] }} {{ items[1:] }} {{ items[:2]|join }}",
    "{{ 'yes' if count > 2 else 'no' }} {{ 'only' if no }}|",
    "{{ json|tojson(indent=2) }} {{ rows|tojson }}",
    "{{ count is odd }} {{ count is divisibleby(3) }} {{ name is string }} {{ items is iterable }}",
    "{{ user is mapping }}",
    "{{ count == 3.0 }} {{ not yes }} {{ 1 < count < 5 }} {{ 'q' not in text }}",
    "{# a comment {{ name }} #}{{ name }}{# {{ other }} #}",
    "{% raw %}{{ name }} {% if %}{% endraw %}",
    "{% filter upper %}hello {{ name }}{% endfilter %}",
    "{{ 12345678|filesizeformat }} {{ items|list|tojson }} {{ user|xmlattr if false else '' }}",
    "{{ {'class': 'a', 'id': none}|xmlattr }}",
    "{{ index + 1 if index is defined else count + 1 }}/{{ count }}",
    "{%- for row in rows %}\n  {{ loop.index }}. {{ row.title }}\n{%- endfor %}\n",
    "{% for row in rows %}{% if row.score > 0.3 %}{{ row.title }}{% elif loop.last %}last{% endif %}{% endfor %}",
    "{% for k, v in json|dictsort %}{{ k }}:{{ v }} {% endfor %}",
    "{{ items|map('upper')|join(',') }} {{ items|map('length')|list }}",
    "{{ 'it\\'s' }} {{ 'tab\\tnew\\nline' }} {{ '{{ not a tag }}' }}",
]

WRONG = [
    "{{ unclosed",
    "{% if yes %}no end",
    "{% unknown %}",
    "{{ name|nosuchfilter }}",
    "{{ nosuchfunction() }}",
    "{{ missing.attribute }}",
    "{{ 1 / 0 }}",
    "{% for %}{% endfor %}",
]


def jinja2(source: str) -> str:
    return ImmutableSandboxedEnvironment().from_string(source).render(VALUES)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def templates():
    made = SafeTemplates()
    yield made
    await made.close()


@pytest.mark.parametrize("source", SIMPLE)
async def test_a_simple_template_reads_as_in_jinja2(templates: SafeTemplates, source: str):
    assert await templates.render(source, VALUES, max_chars=10_000) == jinja2(source)


@pytest.mark.parametrize("source", SIMPLE)
async def test_a_simple_template_needs_no_process(source: str):
    here = SafeTemplates()

    await here.render(source, VALUES, max_chars=10_000)

    assert here.live_workers == 0


@pytest.mark.parametrize("source", SIMPLE)
async def test_a_simple_template_reads_the_same_apart(source: str):
    apart = SafeTemplates(Limits(in_process_chars=-1))
    try:
        assert await apart.render(source, VALUES, max_chars=10_000) == jinja2(source)
    finally:
        await apart.close()


@pytest.mark.parametrize("source", GENERAL)
async def test_any_other_template_reads_as_in_jinja2(templates: SafeTemplates, source: str):
    assert await templates.render(source, VALUES, max_chars=10_000) == jinja2(source)


@pytest.mark.parametrize("source", WRONG)
async def test_a_template_that_jinja2_refuses_fails_with_a_sentence(templates: SafeTemplates, source: str):
    with pytest.raises((TemplateError, ZeroDivisionError)):
        jinja2(source)

    with pytest.raises(TemplateFailed, match=r"could not be rendered: .+\.$"):
        await templates.render(source, VALUES, max_chars=10_000)
