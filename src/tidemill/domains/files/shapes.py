"""An upload as clients read it (reference `service-api.md`, section 10.5). Pure."""

from __future__ import annotations

from typing import Any

from tidemill.domains.files.links import FileLinks
from tidemill.domains.files.models import StoredFile


def upload_json(file: StoredFile, links: FileLinks) -> dict[str, Any]:
    return {
        "id": str(file.id),
        "reference": None,
        "name": file.name,
        "size": file.size_bytes,
        "extension": file.extension,
        "mime_type": file.mime_type,
        "created_by": str(file.created_by),
        "created_at": int(file.created_at.timestamp()),
        "preview_url": None,
        "source_url": links.url(file.id),
        "original_url": None,
        "user_id": None,
        "tenant_id": str(file.workspace_id),
        "conversation_id": None,
        "file_key": None,
    }
