"""Which tools come with the program, and under which spellings."""

import json

import pytest

from tidemill.ports import ToolMissing, ToolRef
from tidemill.tools import builtin
from tidemill.tools.call import json_schema
from tools.vendors import Bench


@pytest.mark.parametrize(
    ("provider", "tool"),
    [
        ("time", "current_time"),
        ("langgenius/time/time", "current_time"),
        ("maths", "eval_expression"),
        ("langgenius/maths/maths", "eval_expression"),
        ("webscraper", "webscraper"),
        ("langgenius/searxng/searxng", "searxng_search"),
        ("langgenius/tavily/tavily", "tavily_search"),
        ("langgenius/duckduckgo/duckduckgo", "ddgo_search"),
        ("langgenius/jina_tool/jina", "jina_reader"),
        ("jina", "jina_search"),
        ("langgenius/json_process/json_process", "parse"),
        ("langgenius/json_process/json_process", "json_insert"),
        ("json_process", "delete"),
        ("json_process", "json_replace"),
        ("bowenliang123/md_exporter/md_exporter", "md_to_docx"),
        ("bowenliang123/md_exporter/md_exporter", "md_to_xlsx"),
        ("langgenius/chart/chart", "bar_chart"),
        ("chart", "pie_chart"),
        ("langgenius/qrcode/qrcode", "qrcode_generator"),
        ("langgenius/regex/regex", "regex_extract"),
        ("langgenius/email/email", "send_mail"),
        ("hjlarry/database/database", "sql_execute"),
        ("langgenius/db_query/db_query", "sql_query"),
        ("langgenius/wikipedia/wikipedia", "wikipedia_search"),
        ("somebody/searxng/searxng", "searxng_search"),
        ("junjiem/mcp_sse/mcp_sse", "mcp_sse_call_tool"),
        ("arrenxxxxx/mcp_config_during_use/mcp_config", "mcp_list_tools"),
        ("qianfan/baidu_ai_search/baidu_ai_search", "smart_search"),
        ("wwwzhouhui/qwen_text2image/modelscope", "text2image"),
        ("hjlarry/small_pay/small_pay", "create_order"),
    ],
)
def test_spellings_of_app_files_lead_to_the_tool(provider: str, tool: str):
    assert builtin.find(provider, tool) is not None


def test_an_unknown_provider_and_an_unknown_tool_are_not_found():
    assert builtin.find("langgenius/nothing/nothing", "x") is None
    assert builtin.find("time", "x") is None
    assert builtin.find("time/nothing", "current_time") is None


def test_the_sentence_for_a_missing_provider_names_it_and_the_tool():
    error = builtin.missing(ToolRef(kind="builtin", provider="acme/crm/crm", name="find_customer"))

    assert "acme/crm/crm" in str(error)
    assert "find_customer" in str(error)
    assert "OpenAPI" in str(error)


def test_the_sentence_for_a_missing_tool_of_a_known_provider_lists_its_tools():
    error = builtin.missing(ToolRef(kind="builtin", provider="time", name="sunrise"))

    assert "sunrise" in str(error)
    assert "current_time" in str(error)


def test_every_tool_has_words_for_people_and_a_schema_for_models():
    tools = builtin.list_tools()

    assert len(tools) > 50
    assert len({(tool.spec.provider, tool.spec.name) for tool in tools}) == len(tools)
    for tool in tools:
        assert tool.spec.label
        assert tool.spec.description.endswith(".")
        json.dumps(json_schema(tool.spec))


async def test_a_tool_without_its_credentials_says_which_are_missing_and_where_they_go(bench: Bench):
    with pytest.raises(ToolMissing, match=r"tavily_search.*tavily.*Tavily API key.*TAVILY_API_KEY"):
        await bench.run("tavily", "tavily_search", {"query": "x"})

    assert bench.vendors.seen == []
