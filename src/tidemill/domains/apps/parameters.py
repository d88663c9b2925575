"""What a client needs to draw an app: its input form and features, in the Service API's shape."""

from __future__ import annotations

from typing import Any

from tidemill import dsl
from tidemill.kit.settings import Settings


def parameters(app: dsl.CompiledApp, settings: Settings) -> dict[str, Any]:
    """The answer of `/parameters`."""
    return {
        **app.features.to_wire(),
        "user_input_form": app.form(),
        "system_parameters": {
            "image_file_size_limit": settings.upload_image_file_size_limit,
            "video_file_size_limit": settings.upload_video_file_size_limit,
            "audio_file_size_limit": settings.upload_audio_file_size_limit,
            "file_size_limit": settings.upload_file_size_limit,
            "workflow_file_upload_limit": settings.workflow_file_upload_limit,
        },
    }
