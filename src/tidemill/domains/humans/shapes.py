"""A form as the Service API and its page read it (reference `service-api.md`, section 10.4). Pure."""

from __future__ import annotations

from typing import Any

from tidemill.domains.humans.models import Form
from tidemill.domains.humans.service import defaults


def form_json(form: Form) -> dict[str, Any]:
    return {
        "form_content": form.content,
        "inputs": form.inputs,
        "resolved_default_values": defaults(form),
        "user_actions": form.actions,
        "expiration_time": int(form.expires_at.timestamp()),
    }
