"""The document extractor (reference `workflow-dsl.md`, 5.19)."""

import pytest

from nodes.doubles import Shelf
from tidemill.engine.errors import NodeFailed, VariableNotFound
from tidemill.engine.testing import run_node
from tidemill.engine.values import File, Value
from tidemill.nodes.document_extractor import DocumentExtractor
from tidemill.ports import DocumentFailed, Documents, DocumentUnsupported, Files


class Reader:
    """Documents whose text is their bytes in capitals."""

    def __init__(self, failure: DocumentFailed | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._failure = failure

    async def text(self, *, filename: str, mime_type: str, data: bytes) -> str:
        self.asked.append((filename, mime_type))
        if self._failure is not None:
            raise self._failure
        return data.decode().upper()


def document(name: str, *, extension: str = "", mime_type: str = "") -> File:
    return File(type="document", transfer_method="local_file", filename=name, extension=extension, mime_type=mime_type)


async def extract(value: Value, reader: Reader | None = None, *, is_array: bool = False) -> dict[str, Value]:
    return await run_node(
        DocumentExtractor,
        {"variable_selector": ["start", "doc"], "is_array_file": is_array},
        values={("start", "doc"): value},
        ports={Files: Shelf(a_txt=b"one", b_txt=b"two", c=b"three"), Documents: reader or Reader()},
    )


async def test_a_file_gives_its_text():
    assert await extract(document("a.txt")) == {"text": "ONE"}


async def test_a_list_gives_a_list_in_its_order():
    files: Value = [document("b.txt"), document("a.txt")]

    assert await extract(files, is_array=True) == {"text": ["TWO", "ONE"]}


async def test_an_empty_list_gives_an_empty_list():
    assert await extract([], is_array=True) == {"text": []}


async def test_a_file_in_its_wire_form_is_a_file():
    assert await extract(document("a.txt").to_wire()) == {"text": "ONE"}


async def test_the_value_decides_between_one_and_many_not_the_setting():
    assert await extract(document("a.txt"), is_array=True) == {"text": "ONE"}


async def test_the_reader_is_told_name_and_type():
    reader = Reader()

    await extract(document("c", extension=".pdf", mime_type="application/pdf"), reader=None)
    await extract(document("a.txt", extension=".txt", mime_type="text/plain"), reader)

    assert reader.asked == [("a.txt", "text/plain")]


async def test_a_name_without_its_extension_gets_it():
    reader = Reader()

    await extract(document("c", extension=".pdf"), reader)

    assert reader.asked == [("c.pdf", "")]


async def test_a_missing_variable_fails():
    with pytest.raises(VariableNotFound):
        await run_node(DocumentExtractor, {"variable_selector": ["start", "doc"]}, values={}, ports={})


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, "empty"), ("text", "of type string"), (3, "integer"), ({"a": 1}, "object"), (["a"], "array[string]")],
)
async def test_what_is_no_file_fails_naming_its_type(value: Value, told: str):
    with pytest.raises(NodeFailed) as failure:
        await extract(value)

    assert told in str(failure.value)
    assert "start.doc" in str(failure.value)
    assert failure.value.error_type == "DocumentExtractorError"


@pytest.mark.parametrize(
    ("reader", "name", "error_type"),
    [
        (Reader(DocumentUnsupported("Unsupported Extension Type: .zip.")), "a.txt", "UnsupportedFileTypeError"),
        (Reader(DocumentFailed("It is broken.")), "a.txt", "TextExtractionError"),
        (Reader(), "gone.txt", "FileDownloadError"),
    ],
)
async def test_what_cannot_be_read_fails_by_its_cause(reader: Reader, name: str, error_type: str):
    with pytest.raises(NodeFailed) as failure:
        await extract(document(name), reader)

    assert failure.value.error_type == error_type
