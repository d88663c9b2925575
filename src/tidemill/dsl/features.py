"""What an app offers around its graph: opening, suggestions, speech, citations, moderation, uploads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tidemill.engine.values import to_text

_PLACEHOLDER: Final = re.compile(r"\{\{([^\W\d]\w{0,99})\}\}")
_DEFAULTS: Final[Mapping[str, dict[str, Any]]] = {
    "suggested_questions_after_answer": {"enabled": False},
    "speech_to_text": {"enabled": False},
    "text_to_speech": {"enabled": False, "voice": "", "language": "", "autoPlay": "disabled"},
    "retriever_resource": {"enabled": True},
    "annotation_reply": {"enabled": False},
    "more_like_this": {"enabled": False},
    "sensitive_word_avoidance": {"enabled": False},
}
_UPLOAD_METHODS: Final = ("local_file", "remote_url")


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """The features of one app. The blocks are the file's own, with the defaults of missing ones filled in."""

    opening_statement: str = ""
    suggested_questions: tuple[str, ...] = ()
    suggested_questions_after_answer: dict[str, Any] = msgspec.field(default_factory=dict)
    speech_to_text: dict[str, Any] = msgspec.field(default_factory=dict)
    text_to_speech: dict[str, Any] = msgspec.field(default_factory=dict)
    retriever_resource: dict[str, Any] = msgspec.field(default_factory=dict)
    annotation_reply: dict[str, Any] = msgspec.field(default_factory=dict)
    more_like_this: dict[str, Any] = msgspec.field(default_factory=dict)
    sensitive_word_avoidance: dict[str, Any] = msgspec.field(default_factory=dict)
    file_upload: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def accepts_files(self) -> bool:
        """Whether a message may carry files."""
        return self.file_upload.get("enabled") is True

    def is_on(self, name: str) -> bool:
        """Whether the block called `name` is enabled."""
        block = getattr(self, name)
        return isinstance(block, dict) and block.get("enabled") is True

    def to_wire(self) -> dict[str, Any]:
        """The feature part of `/parameters`."""
        return {**msgspec.structs.asdict(self), "suggested_questions": list(self.suggested_questions)}


def read_features(section: Mapping[str, Any]) -> Features:
    """Read `workflow.features`, or the same keys of `model_config`."""
    blocks = {name: {**default, **_mapping(section.get(name))} for name, default in _DEFAULTS.items()}
    questions = section.get("suggested_questions")
    return Features(
        opening_statement=str(section.get("opening_statement") or ""),
        suggested_questions=tuple(str(item) for item in questions if item) if isinstance(questions, list) else (),
        file_upload=_file_upload(_mapping(section.get("file_upload"))),
        **blocks,
    )


def fill_placeholders(text: str, values: Mapping[str, Any]) -> str:
    """Replace `{{name}}` by the value of that name; unknown names stay as they are."""

    def replaced(match: re.Match[str]) -> str:
        name = match.group(1)
        return to_text(values[name]) if name in values else match.group(0)

    return _PLACEHOLDER.sub(replaced, text)


def _file_upload(block: Mapping[str, Any]) -> dict[str, Any]:
    image = _mapping(block.get("image"))
    limit = block.get("number_limits", image.get("number_limits"))
    methods = block.get("allowed_file_upload_methods") or block.get("allowed_upload_methods")
    found = {
        "enabled": block.get("enabled") is True,
        "allowed_file_types": list(block.get("allowed_file_types") or []),
        "allowed_file_extensions": list(block.get("allowed_file_extensions") or []),
        "allowed_file_upload_methods": list(methods or image.get("transfer_methods") or _UPLOAD_METHODS),
        "number_limits": limit if isinstance(limit, int) and not isinstance(limit, bool) else 3,
    }
    # Before 0.1.3 only pictures could be sent, and only `image` said so.
    if image.get("enabled") is True and "enabled" not in block:
        found |= {"enabled": True, "allowed_file_types": ["image"]}
    return {**block, **found}


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}
