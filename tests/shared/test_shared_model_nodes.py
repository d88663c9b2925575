"""Real files whose nodes read what a model says, documents and knowledge, against the scripted model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters import documents_made as made
from shared.conftest import FILES
from support.model_server import ModelServer, running_model_server


@pytest.fixture(scope="module")
def model_process() -> Iterator[ModelServer]:
    with running_model_server() as server:
        yield server


@pytest.fixture
def model(model_process: ModelServer) -> ModelServer:
    model_process.reset()
    return model_process


def result_of(model: ModelServer, home: Path, file: str, *args: str) -> dict[str, Any]:
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("OPENAI", "TIDEMILL"))},
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_MODEL_WINDOW": "16385",
        "TIDEMILL_HOME": str(home),
    }
    words = ["run", str(FILES / file), "--model", "openai/mock-echo", "--json", *args]
    done = subprocess.run(
        [sys.executable, "-m", "tidemill.cli", *words], env=environment, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


def test_parameters_are_read_by_a_call_of_the_model(model: ModelServer, tmp_path: Path) -> None:
    model.script({"match": "青岛", "tool": {"name": "f", "arguments": {"city": "青岛", "budget": 5000}}})

    result = result_of(model, tmp_path, "synthetic-parameter-extractor.yml", "-i", "query=去青岛，预算五千")

    assert (result["status"], result["outputs"]) == ("succeeded", {"city": "青岛", "budget": 5000})
    (tool,) = model.requests()[-1].body["tools"]
    assert tool["function"]["parameters"]["required"] == ["city", "budget"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ('{"category_id": "logistics"}', "物流"),
        ('```json\n{"category_id": "quality_issue"}\n```', "质量"),
        ("?", "退款"),
    ],
)
def test_a_question_goes_to_the_branch_of_its_class(model: ModelServer, tmp_path: Path, answer: str, kind: str) -> None:
    model.script(
        {"match": "classification_instructions", "reply": answer}, {"match": kind, "anywhere": True, "reply": kind}
    )

    result = result_of(model, tmp_path, "after-sales-chatflow.yml", "-i", "query=快递呢", "--query", "快递呢")

    assert (result["status"], result["answer"]) == ("succeeded", kind)


def test_documents_of_a_list_are_each_read(model: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(made.docx(made.paragraph("The tide comes twice.")))
    (tmp_path / "b.csv").write_bytes("港口,深度\n青岛,17\n".encode("gbk"))
    files = [f"UplodFile=@{tmp_path / name}" for name in ("a.docx", "b.csv")]

    result = result_of(model, tmp_path, "batch-document-summary.yml", "--query", "go", "-i", files[0], "-i", files[1])

    assert result["status"] == "succeeded"
    said = json.dumps([request.body for request in model.requests()], ensure_ascii=False)
    assert "The tide comes twice." in said
    assert "| 青岛 | 17 |" in said


def test_a_knowledge_base_that_is_not_here_is_named(model: ModelServer, tmp_path: Path) -> None:
    result = result_of(model, tmp_path, "document-chat-template.yml", "-i", "input=x", "--query", "Tides?")

    assert result["status"] == "failed"
    assert "8c4620fa-15d7-464f-9cb9-561f1a59eb3f" in result["error"]
    assert "no knowledge base is connected" in result["error"]
