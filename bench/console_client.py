"""Sets up a running server over its console API, as a person would: owner, model, app, key. Standard library only."""

from __future__ import annotations

import http.cookiejar
import json
import urllib.request
from typing import Any


class Console:
    """A signed-in owner."""

    def __init__(self, base: str) -> None:
        self._base = f"{base}/console/api"
        jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self._token = ""

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call a console route; raises `urllib.error.HTTPError` when it refuses."""
        headers = {"Content-Type": "application/json", "X-CSRF-Token": self._token}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, headers, method=method)
        with self._opener.open(request, timeout=60) as response:
            text = response.read()
        return json.loads(text) if text else None

    def sign_in(self, email: str = "bench@example.com", password: str = "bench bench bench") -> None:
        """Create the owner of a new server, or sign in to one this has set up before."""
        body = {"email": email, "password": password}
        is_done = self.call("GET", "/setup")["is_done"]
        me = self.call("POST", "/session" if is_done else "/setup", body)
        self._token = me["csrf_token"]

    def add_models(self, base_url: str, *names: str) -> None:
        """Point the OpenAI provider at a mock and add models of 100 000 tokens."""
        credentials = {"api_key": "bench", "base_url": base_url}
        self.call("PUT", "/model-providers/openai/credentials", {"credentials": credentials})
        for name in names:
            self.call(
                "POST", "/model-providers/openai/models", {"name": name, "kind": "chat", "window_tokens": 100_000}
            )

    def publish(self, content: str) -> tuple[str, str]:
        """Import and publish an app file; returns the app's id and a fresh key."""
        result = self.call("POST", "/apps/import", {"content": content})
        if result["app"] is None:
            raise RuntimeError(f"The file was not imported: {result['error']}")
        app_id = result["app"]["id"]
        self.call("POST", f"/apps/{app_id}/publish", {})
        return app_id, self.call("POST", f"/apps/{app_id}/keys", {"name": "bench"})["secret"]
