"""AWS: a function of one's own on AWS Lambda, called with a YAML text.

Reference: docs.aws.amazon.com, "Lambda API: Invoke" and "Signature Version 4".
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from tidemill.ports import ToolCall, ToolFailed, ToolMessage
from tidemill.tools.provider import Arguments, CredentialField, Provider, asked, setting, text
from tidemill.tools.web import ask_json

_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")

PROVIDER = Provider(
    "aws",
    "AWS",
    "Functions on AWS Lambda.",
    aliases=("aws_tools",),
    credentials=[
        CredentialField(
            name="aws_access_key_id", label="AWS access key id", is_secret=False, environment="AWS_ACCESS_KEY_ID"
        ),
        CredentialField(
            name="aws_secret_access_key", label="AWS secret access key", environment="AWS_SECRET_ACCESS_KEY"
        ),
        CredentialField(
            name="aws_session_token", label="AWS session token", is_required=False, environment="AWS_SESSION_TOKEN"
        ),
    ],
)


def signed(
    credentials: Mapping[str, str], *, service: str, region: str, host: str, path: str, body: bytes, moment: datetime
) -> dict[str, str]:
    """The headers of a POST, its signature among them. Source: "Create a signed AWS API request" (SigV4)."""
    stamp, day = moment.strftime("%Y%m%dT%H%M%SZ"), moment.strftime("%Y%m%d")
    headers = {"content-type": "application/json", "host": host, "x-amz-date": stamp}
    if token := credentials.get("aws_session_token"):
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    # Every service but S3 signs the path with its escapes escaped once more.
    request = f"POST\n{quote(path, safe='/-_.~')}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{credentials['aws_secret_access_key']}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), hashlib.sha256).hexdigest()
    credential = f"{credentials['aws_access_key_id']}/{scope}"
    authorization = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    sent = {name: value for name, value in headers.items() if name != "host"}
    return {**sent, "authorization": authorization}


@PROVIDER.tool(
    "lambda_yaml_to_json",
    "LambdaYamlToJson",
    "Sends a YAML text to a function of yours on AWS Lambda, which gives JSON back.",
    asked("yaml_content", "The YAML text."),
    setting("aws_region", "Region of the function, such as us-east-1.", is_required=True),
    setting("lambda_name", "Name of the function.", is_required=True),
    is_read_only=False,
)
async def lambda_yaml_to_json(arguments: Arguments, call: ToolCall) -> AsyncIterator[ToolMessage]:
    region = arguments.text("aws_region").strip()
    if not _REGION.fullmatch(region):
        raise ToolFailed(f"{region[:40]!r} is not an AWS region. Use one such as us-east-1.")
    host = f"lambda.{region}.amazonaws.com"
    path = f"/2015-03-31/functions/{quote(arguments.text('lambda_name').strip(), safe='')}/invocations"
    body = json.dumps({"body": arguments.text("yaml_content")}).encode()
    headers = signed(
        call.credentials, service="lambda", region=region, host=host, path=path, body=body, moment=datetime.now(UTC)
    )
    answer: Any = await ask_json(call, "AWS Lambda", f"https://{host}{path}", method="POST", headers=headers, body=body)
    if not isinstance(answer, dict) or answer.get("statusCode") != 200:
        raise ToolFailed(f"The function answered {json.dumps(answer)[:200]}. It has to give statusCode 200 and a body.")
    result = answer.get("body", "")
    yield text(result if isinstance(result, str) else json.dumps(result, ensure_ascii=False))
