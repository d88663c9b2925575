"""Document extractor: the text of one file, or of a list of files.

Rules: reference `workflow-dsl.md`, section 5.19. What a format's text is, is the `Documents` port's to say.
"""

from __future__ import annotations

from pydantic import Field

from tidemill.engine.errors import NodeFailed
from tidemill.engine.node import Context, Node
from tidemill.engine.values import File, Selector, Value, as_file, kind_of
from tidemill.nodes._shapes import SelectorField, Settings, present
from tidemill.ports import DocumentFailed, Documents, DocumentUnsupported, Files, FileUnavailable


class Config(Settings):
    variable_selector: SelectorField = Field(default=(), title="File")
    is_array_file: bool = False


class DocumentExtractor(Node[Config, dict[str, Value]]):
    type = "document-extractor"
    title = "Document extractor"
    is_effectful = True

    async def run(self, ctx: Context) -> dict[str, Value]:
        value = ctx.value(self.config.variable_selector)
        ctx.record(inputs={"variable_selector": list(self.config.variable_selector), "file": value})
        file = as_file(value)
        if file is not None:
            return {"text": await _text_of(ctx, file)}
        return {"text": [await _text_of(ctx, item) for item in self._files(value)]}

    def _files(self, value: Value) -> list[File]:
        if isinstance(value, list):
            files = [as_file(item) for item in value]
            found = [file for file in files if file is not None]
            if len(found) == len(files):
                return found
        name = ".".join(self.config.variable_selector)
        kind = "empty" if value is None else f"of type {kind_of(value).value}"
        raise NodeFailed(
            f"The variable {name} is {kind}; the document extractor takes a file or a list of files.",
            error_type="DocumentExtractorError",
            is_retryable=False,
        )

    def reads(self) -> tuple[Selector, ...]:
        return present(self.config.variable_selector)


async def _text_of(ctx: Context, file: File) -> str:
    try:
        data = await ctx.port(Files).read(file)
        return await ctx.port(Documents).text(filename=_name_of(file), mime_type=file.mime_type, data=data)
    except FileUnavailable as error:
        raise NodeFailed(str(error), error_type="FileDownloadError") from error
    except DocumentUnsupported as error:
        raise NodeFailed(str(error), error_type="UnsupportedFileTypeError", is_retryable=False) from error
    except DocumentFailed as error:
        raise NodeFailed(str(error), error_type="TextExtractionError") from error


def _name_of(file: File) -> str:
    """The file's name, with its extension even where the name itself has none."""
    extension = file.extension
    if not extension or file.filename.lower().endswith(extension.lower()):
        return file.filename
    return file.filename + (extension if extension.startswith(".") else f".{extension}")
