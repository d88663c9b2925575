"""Chunkers and the extractor of knowledge pipelines."""

import pytest

from tidemill.engine.values import File
from tidemill.ports import DocumentFailed, Documents, ToolFailed
from tools.vendors import Bench


async def test_a_text_is_cut_at_its_delimiter(bench: Bench):
    found = await bench.run(
        "langgenius/general_chunker/general_chunker",
        "general_chunker",
        {"input_variable": "one\n\ntwo\n\n\n\nthree", "delimiter": "\\n\\n", "max_chunk_length": 100},
    )

    assert found.variables == {"result": {"general_chunks": ["one", "two", "three"]}}


async def test_long_parts_are_cut_at_sentences_with_an_overlap(bench: Bench):
    text = "First sentence of it. " * 20
    found = await bench.run(
        "general_chunker",
        "general_chunker",
        {"input_variable": text, "delimiter": "\n\n", "max_chunk_length": 100, "chunk_overlap_length": 20},
    )

    chunks = found.outputs()["result"]["general_chunks"]  # type: ignore[index,call-overload]
    assert all(len(chunk) <= 100 for chunk in chunks)
    assert all(chunk.endswith(".") for chunk in chunks)
    assert len("".join(chunks)) > len(text.strip())


async def test_addresses_and_runs_of_spaces_are_taken_out_when_asked(bench: Bench):
    found = await bench.run(
        "general_chunker",
        "general_chunker",
        {
            "input_variable": "See   https://a.example/x?y=1 or write ada@b.example now",
            "delimiter": "\n\n",
            "max_chunk_length": 100,
            "replace_consecutive_spaces_newlines_tabs": "true",
            "delete_all_urls_and_email_addresses": "True",
        },
    )

    assert found.variables["result"] == {"general_chunks": ["See or write now"]}


async def test_pieces_are_cut_again_for_searching(bench: Bench):
    found = await bench.run(
        "langgenius/parentchild_chunker/parentchild_chunker",
        "parentchild_chunker",
        {"input_text": "a\nb\n\nc", "separator": "\n\n", "subchunk_separator": "\n", "max_length": "1024"},
    )

    assert found.variables["result"] == {
        "parent_child_chunks": [
            {"parent_content": "a\nb", "child_contents": ["a", "b"]},
            {"parent_content": "c", "child_contents": ["c"]},
        ],
        "parent_mode": "paragraph",
    }


async def test_a_whole_document_can_be_one_piece(bench: Bench):
    found = await bench.run(
        "parentchild_chunker",
        "parentchild_chunker",
        {"input_text": "a\n\nb", "subchunk_separator": "\n", "parent_mode": "full_doc"},
    )

    assert found.variables["result"] == {
        "parent_child_chunks": [{"parent_content": "a\n\nb", "child_contents": ["a", "b"]}],
        "parent_mode": "full_doc",
    }


class Reader:
    async def text(self, *, filename: str, mime_type: str, data: bytes) -> str:
        if data == b"broken":
            raise DocumentFailed(f"{filename} cannot be read.")
        return data.decode()


async def test_the_extractor_gives_the_text_and_its_documents(bench: Bench):
    bench.ports[Documents] = Reader()
    file = await bench.files.save(filename="a.txt", mime_type="text/plain", data=b"Text")

    found = await bench.run("langgenius/dify_extractor/dify_extractor", "dify_extractor", {"file": file})

    assert found.text == "Text"
    assert found.variables["documents"] == [{"page_content": "Text", "metadata": {"source": "a.txt"}}]
    assert found.variables["images"] == []


async def test_a_document_that_cannot_be_read_fails_the_tool(bench: Bench):
    bench.ports[Documents] = Reader()
    file = await bench.files.save(filename="a.bin", mime_type="x/y", data=b"broken")

    with pytest.raises(ToolFailed, match=r"a\.bin cannot be read"):
        await bench.run("dify_extractor", "dify_extractor", {"file": file})
    gone = File(type="document", transfer_method="tool_file", related_id="gone", filename="gone.txt")
    with pytest.raises(ToolFailed, match="does not exist any more"):
        await bench.run("dify_extractor", "dify_extractor", {"file": gone})
