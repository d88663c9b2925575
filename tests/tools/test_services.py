"""Services of vendors, played with answers of the documented shape."""

import base64
import json
from datetime import UTC, datetime

import pytest

from tidemill.ports import ToolFailed
from tidemill.tools.builtin.aws import signed
from tools.vendors import Bench

# Of the same request, signed by botocore 1.44.
EXPECTED = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/lambda/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date, "
    "Signature=3618dda10f9304f94c1491b1532490e1e0613864b641d8095bb902ae8b0def4e"
)
PNG = b"\x89PNG\r\n\x1a\n rest"


async def test_google_translate_joins_the_sentences(bench: Bench):
    bench.vendors.on(
        "POST translate.googleapis.com/translate_a/single",
        [[["Hello. ", "你好。", None, None, 10], ["World.", "世界。", None, None, 3]], None, "zh-CN"],
    )

    found = await bench.run("google_translate", "translate", {"content": "你好。世界。", "dest": "en"})

    assert bench.vendors.request.query["tl"] == "en"
    assert b"q=%E4%BD%A0" in bench.vendors.request.body
    assert found.text == "Hello. World."


async def test_google_translate_in_an_unknown_form_is_a_failure(bench: Bench):
    bench.vendors.on("POST translate.googleapis.com/translate_a/single", {"error": 1})

    with pytest.raises(ToolFailed, match="form that is not known"):
        await bench.run("google_translate", "translate", {"content": "x", "dest": "en"})


async def test_openweather_gives_the_weather_of_a_city(bench: Bench):
    weather = {
        "weather": [{"main": "Rain", "description": "小雨"}],
        "main": {"temp": 10.5},
        "name": "Zürich",
        "cod": 200,
    }
    bench.vendors.on("GET api.openweathermap.org/data/2.5/weather", weather)

    found = await bench.run("langgenius/openweather/openweather", "weather", {"city": "Zürich"}, {"api_key": "k"})

    assert bench.vendors.request.query == {"q": "Zürich", "appid": "k", "units": "metric", "lang": "zh_cn"}
    assert json.loads(found.text) == weather


def test_requests_to_aws_are_signed_as_the_documentation_says():
    headers = signed(
        {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
        service="lambda",
        region="us-east-1",
        host="lambda.us-east-1.amazonaws.com",
        path="/2015-03-31/functions/yaml_to_json/invocations",
        body=b'{"body": "a: 1"}',
        moment=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )

    assert headers["x-amz-date"] == "20150830T123600Z"
    assert headers["authorization"] == EXPECTED


async def test_a_lambda_function_gets_the_yaml_and_gives_its_body(bench: Bench):
    host = "lambda.us-east-1.amazonaws.com"
    bench.vendors.on(
        f"POST {host}/2015-03-31/functions/yaml_to_json/invocations", {"statusCode": 200, "body": '{"json": {"a": 1}}'}
    )

    found = await bench.run(
        "aws",
        "lambda_yaml_to_json",
        {"yaml_content": "a: 1", "aws_region": "us-east-1", "lambda_name": "yaml_to_json"},
        {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret", "aws_session_token": "token"},
    )

    request = bench.vendors.request
    assert request.json == {"body": "a: 1"}
    assert request.headers["x-amz-security-token"] == "token"
    assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert found.text == '{"json": {"a": 1}}'


async def test_a_region_cannot_lead_a_signed_request_elsewhere(bench: Bench):
    with pytest.raises(ToolFailed, match="not an AWS region"):
        await bench.run(
            "aws",
            "lambda_yaml_to_json",
            {"yaml_content": "a", "aws_region": "x.evil.example/", "lambda_name": "f"},
            {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret"},
        )

    assert bench.vendors.seen == []


async def test_an_order_gives_its_number_and_the_code_to_pay(bench: Bench):
    picture = "data:image/png;base64," + base64.b64encode(PNG).decode()
    bench.vendors.on(
        "POST pay.freecicoda.com/smallPayment/api/v1/order/createOrder",
        {"code": 200, "message": "ok", "data": {"orderNo": "N1", "qrCodeBase64": picture}},
    )

    arguments = {"money": 1.12, "title": "DIFY workflow", "desc": None}
    found = await bench.run("hjlarry/small_pay/small_pay", "create_order", arguments, {"api_key": "k"})

    assert bench.vendors.request.json == {"apiKey": "k", "title": "DIFY workflow", "desc": "", "money": 112}
    assert bench.vendors.request.headers["Idempotency-Key"] == "key-1"
    assert found.text == "N1"
    assert bench.data(found) == PNG


@pytest.mark.parametrize("money", [0.5, 201, 1.001])
async def test_a_sum_outside_the_vendor_s_rules_is_refused_before_sending(bench: Bench, money: float):
    with pytest.raises(ToolFailed, match=r"1\.00 to 200\.00"):
        await bench.run("small_pay", "create_order", {"money": money, "title": "t"}, {"api_key": "k"})

    assert bench.vendors.seen == []


async def test_an_order_is_waited_for_and_its_state_said_in_the_words_that_flows_compare(bench: Bench):
    bench.vendors.on(
        "GET pay.freecicoda.com/smallPayment/api/v1/order/queryOrder", {"code": 200, "data": {"status": 0}}
    )
    bench.vendors.on(
        "GET pay.freecicoda.com/smallPayment/api/v1/order/queryOrder", {"code": 200, "data": {"status": 1}}
    )

    found = await bench.run("small_pay", "query_order", {"order_no": "N1"}, {"api_key": "k"})

    assert [seen.query for seen in bench.vendors.seen] == [{"apiKey": "k", "orderNo": "N1"}] * 2
    assert found.text == "支付成功"


async def test_a_picture_is_made_in_the_background_and_fetched(bench: Bench):
    api = "api-inference.modelscope.cn/v1"
    bench.vendors.on(f"POST {api}/images/generations", {"task_status": "SUCCEED", "task_id": "T1"})
    bench.vendors.on(f"GET {api}/tasks/T1", {"task_status": "SUCCEED", "output_images": ["https://oss.example/a.png"]})
    bench.vendors.on("GET oss.example/a.png", PNG, kind="image/png")

    found = await bench.run(
        "wwwzhouhui/qwen_text2image/modelscope",
        "text2image",
        {"prompt": "a lake", "model": "Qwen/Qwen-Image"},
        {"api_key": "ms"},
    )

    begun, asked, fetched = bench.vendors.seen
    assert begun.headers["X-ModelScope-Async-Mode"] == "true"
    assert begun.json == {"model": "Qwen/Qwen-Image", "prompt": "a lake", "n": 1, "size": "1024x1024"}
    assert asked.headers["X-ModelScope-Task-Type"] == "image_generation"
    assert "Authorization" not in fetched.headers
    assert bench.data(found) == PNG


async def test_a_picture_is_changed_by_its_address(bench: Bench):
    api = "api-inference.modelscope.cn/v1"
    bench.vendors.on(f"POST {api}/images/generations", {"task_id": "T1"})
    bench.vendors.on(f"GET {api}/tasks/T1", {"task_status": "FAILED", "errors": {"message": "bad picture"}})

    with pytest.raises(ToolFailed, match="bad picture"):
        await bench.run(
            "modelscope",
            "image2image",
            {"prompt": "brighter", "image_url": "https://a.example/x.png"},
            {"api_key": "ms"},
        )

    assert bench.vendors.seen[0].json["image_url"] == ["https://a.example/x.png"]


CHART = {
    "chart": {
        "result": [
            {
                "meta": {"symbol": "AAPL", "currency": "USD", "regularMarketPrice": 190.5, "tradingPeriods": []},
                "timestamp": [1704067200 + 86400 * day for day in range(4)],
                "indicators": {
                    "quote": [
                        {
                            "open": [1, 2, None, 4],
                            "high": [2, 3, None, 5],
                            "low": [0.5, 1, None, 3],
                            "close": [1.5, 2.5, None, 4.5],
                            "volume": [100, 200, None, 300],
                        }
                    ]
                },
            }
        ],
        "error": None,
    }
}


async def test_yahoo_prices_are_summed_up_by_parts_of_the_period(bench: Bench):
    bench.vendors.on("GET query1.finance.yahoo.com/v8/finance/chart/AAPL", CHART)

    found = await bench.run(
        "yahoo",
        "yahoo_finance_analytics",
        {"symbol": "AAPL", "start_date": "2024-01-01", "end_date": "2024-01-05"},
    )

    assert bench.vendors.request.query["period1"] == "1704067200"
    segments = found.json[0]["segments"]
    assert [segment["Start Date"] for segment in segments] == ["2024-01-01", "2024-01-02", "2024-01-04"]
    assert segments[2]["Average Close"] == 4.5


async def test_yahoo_ticker_and_news(bench: Bench):
    bench.vendors.on("GET query1.finance.yahoo.com/v8/finance/chart/AAPL", CHART)
    bench.vendors.on(
        "GET query1.finance.yahoo.com/v1/finance/search",
        {"news": [{"title": "Up", "publisher": "P", "link": "https://n.example", "providerPublishTime": 1}]},
    )

    ticker = await bench.run("yahoo", "yahoo_finance_ticker", {"symbol": "AAPL"})
    news = await bench.run("yahoo", "yahoo_finance_news", {"symbol": "AAPL"})

    assert ticker.json == [{"symbol": "AAPL", "currency": "USD", "regularMarketPrice": 190.5}]
    assert news.text == "Up (P): https://n.example"


async def test_a_symbol_yahoo_does_not_know_is_said(bench: Bench):
    bench.vendors.on(
        "GET query1.finance.yahoo.com/v8/finance/chart/NOPE",
        {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data found"}}},
    )

    with pytest.raises(ToolFailed, match="No data found"):
        await bench.run("yahoo", "yahoo_finance_ticker", {"symbol": "NOPE"})
