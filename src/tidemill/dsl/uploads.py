"""What files a message may carry: the `file_upload` settings of an app, enforced.

Rules: reference `workflow-dsl.md`, sections 1.5.1 and 3.6. The start form's own files are checked with its inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tidemill.engine.errors import InputInvalid
from tidemill.engine.values import File
from tidemill.nodes._files import FileRefused, FileRules, check_file


class Uploads(msgspec.Struct, frozen=True, kw_only=True):
    """The rules for the files of one app's messages. `max_files` 0 leaves the number to the server."""

    is_on: bool
    rules: FileRules = FileRules()
    picture_rules: FileRules = FileRules()
    max_files: int = 0
    max_pictures: int = 0

    def check_count(self, count: int) -> None:
        """Raises `InputInvalid` when a message may not carry so many files."""
        if count and not self.is_on:
            raise _refused("This app takes no files. Switch file upload on in its features, or send the message alone.")
        if self.max_files and count > self.max_files:
            raise _refused(f"A message to this app may carry at most {_files(self.max_files)}, not {count}.")

    def check(self, files: Sequence[File]) -> None:
        """Raises `InputInvalid` when a file, or their number, is not what the app takes."""
        self.check_count(len(files))
        pictures = sum(file.type == "image" for file in files)
        if self.max_pictures and pictures > self.max_pictures:
            raise _refused(f"A message to this app may carry at most {self.max_pictures} pictures, not {pictures}.")
        for file in files:
            try:
                check_file(file, self.picture_rules if file.type == "image" else self.rules)
            except FileRefused as error:
                raise _refused(f"The app does not take the file {file.filename or file.url}: {error}.") from error


def read_uploads(block: Mapping[str, Any], *, is_workflow: bool) -> Uploads:
    """The rules in a `file_upload` block as `read_features` leaves it.

    The files of a workflow come through its form: switched off, the block rules out none of its `sys.files`.
    """
    is_on = block.get("enabled") is True
    if not is_on:
        return Uploads(is_on=is_workflow)
    image = block.get("image")
    image = image if isinstance(image, dict) else {}
    methods = tuple(block.get("allowed_file_upload_methods") or ())
    rules = FileRules(
        kinds=tuple(block.get("allowed_file_types") or ()),
        extensions=tuple(str(name).lower().lstrip(".") for name in block.get("allowed_file_extensions") or ()),
        methods=methods,
    )
    own = image.get("transfer_methods")
    picture_methods = tuple(own) if isinstance(own, list) and own else methods
    return Uploads(
        is_on=True,
        rules=rules,
        picture_rules=msgspec.structs.replace(rules, methods=picture_methods),
        max_files=_positive(block.get("number_limits")),
        max_pictures=_positive(image.get("number_limits")) if image.get("enabled") is True else 0,
    )


def _positive(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _files(count: int) -> str:
    return "one file" if count == 1 else f"{count} files"


def _refused(sentence: str) -> InputInvalid:
    return InputInvalid(sentence, variable="files")
