"""What callers and people do with a run that asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from support.served import Answer, Api


@dataclass(frozen=True)
class Waiting:
    """A run that waits: its id, and the data of its `human_input_required` and `workflow_paused` events."""

    app: Api
    run_id: str
    task_id: str
    forms: list[dict[str, Any]]
    pause: dict[str, Any]
    events: list[dict[str, Any]]

    @property
    def token(self) -> str:
        return self.forms[0]["form_token"]

    async def answer(self, action: str = "approve", *, token: str = "", user: str = "eve", **inputs: Any) -> Answer:
        body = {"action": action, "inputs": {"comment": "fine", **inputs}, "user": user}
        return await self.app.post(f"/form/human_input/{token or self.token}", body)

    async def rest(self, *, is_whole: bool = False) -> list[dict[str, Any]]:
        """The events from now on, or all of them, to the end or the pause that the run is in."""
        whole = "&include_state_snapshot=true" if is_whole else ""
        answer = await self.app.get(f"/workflow/{self.run_id}/events?user=ada{whole}")
        assert answer.status == 200, answer.body
        return answer.events

    async def record(self) -> dict[str, Any]:
        """The run as the Service API reads it."""
        return (await self.app.get(f"/workflows/run/{self.run_id}")).json()


async def asked(app: Api, path: str = "/workflows/run", body: dict[str, Any] | None = None) -> Waiting:
    """Start a run and read it up to its pause."""
    async with app.stream(path, body or {"inputs": {"x": "hello"}}) as stream:
        await stream.rest()
    seen = stream.seen
    return Waiting(
        app,
        seen[0]["workflow_run_id"],
        seen[0]["task_id"],
        [event["data"] for event in seen if event["event"] == "human_input_required"],
        seen[-1]["data"],
        seen,
    )
