"""Data of the workflow events, and the stream of a workflow app (reference `service-api.md`, section 5.2). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from tidemill.api.wire import EventFrame, TextFrame, compact
from tidemill.domains.runs.ticket import Creator, Ticket
from tidemill.engine import events
from tidemill.engine.values import FILE_MARK

MAX_STRING: Final = 100_000
MAX_ITEMS: Final = 1_000
MAX_VALUE_BYTES: Final = 1_024_000

# The token that opens a form, by the form's id. Journals do not hold it.
FormToken: TypeAlias = Callable[[str], str]


def creator_json(creator: Creator) -> dict[str, Any]:
    if creator.is_account:
        return {"id": creator.id, "name": creator.name, "email": creator.email}
    return {"id": creator.id, "user": creator.user}


def shown(value: dict[str, Any] | None) -> tuple[dict[str, Any] | None, bool]:
    """A value as events show it, and whether something was cut. Only display is cut, never execution."""
    if not value or len(encoded := compact(value)) <= MAX_STRING:
        return value, False
    cut = _cut(value)
    if len(encoded) > MAX_VALUE_BYTES and len(compact(cut)) > MAX_VALUE_BYTES:
        cut = {key: _preview(item) for key, item in cut.items()}
    return cut, cut != value


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= MAX_STRING else value[: MAX_STRING - 3] + "..."
    if isinstance(value, list):
        return [_cut(item) for item in value[:MAX_ITEMS]]
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    return value


def _preview(value: Any) -> Any:
    text = compact(value).decode()
    return value if len(text) <= 1_000 else text[:1_000] + "..."


def files_of(outputs: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Every file among some outputs, in order."""
    found: list[dict[str, Any]] = []
    for value in (outputs or {}).values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and item.get("dify_model_identity") == FILE_MARK:
                found.append(item)
    return found


class WorkflowData:
    """`data` of every workflow event of one run. Remembers each execution's last token budget for its metadata."""

    def __init__(self, ticket: Ticket, form_token: FormToken | None = None) -> None:
        self._ticket = ticket
        self._form_token = form_token
        self._budgets: dict[str, dict[str, Any]] = {}

    def run_started(self, event: events.RunStarted) -> dict[str, Any]:
        return {
            "id": event.run_id,
            "workflow_id": event.workflow_id,
            "inputs": event.inputs,
            "created_at": int(event.at),
            "reason": event.reason,
        }

    def run_finished(self, event: events.RunFinished) -> dict[str, Any]:
        return {
            "id": event.run_id,
            "workflow_id": self._ticket.workflow_id,
            "status": event.status,
            "outputs": event.outputs,
            "error": event.error,
            "elapsed_time": event.elapsed_s,
            "total_tokens": event.total_tokens,
            "total_steps": event.total_steps,
            "created_by": creator_json(self._ticket.creator),
            "created_at": int(event.started_at),
            "finished_at": int(event.at),
            "exceptions_count": event.exceptions_count,
            "files": event.files,
        }

    def paused(self, event: events.RunPaused) -> dict[str, Any]:
        return {
            "workflow_run_id": self._ticket.run_id,
            "paused_nodes": event.paused_node_ids,
            "outputs": event.outputs,
            "reasons": [self._with_token(reason) for reason in event.reasons],
            "status": "paused",
            "created_at": self._ticket.created_at,
            "elapsed_time": event.elapsed_s,
            "total_tokens": event.total_tokens,
            "total_steps": event.total_steps,
        }

    def model_called(self, event: events.ModelCalled) -> None:
        # Rounds of a container may run the same node at the same time.
        self._budgets[event.execution_id or event.node_id] = {
            "provider": event.provider,
            "model": event.model,
            "window_tokens": event.window_tokens,
            "prompt_tokens": event.prompt_tokens,
            "max_tokens": event.max_tokens,
            "requested_max_tokens": event.requested_max_tokens,
            "trimmed_messages": event.trimmed_messages,
            "trimmed_tokens": event.trimmed_tokens,
            "is_exact": event.is_exact,
        }

    def node_started(self, event: events.NodeStarted) -> dict[str, Any]:
        return {
            "id": event.execution_id,
            "node_id": event.node_id,
            "node_type": event.node_type,
            "title": event.title,
            "index": event.index,
            "predecessor_node_id": event.predecessor_id,
            "inputs": None,
            "inputs_truncated": False,
            "created_at": int(event.at),
            "extras": {},
            **_round_ids(event.scope),
            "agent_strategy": None,
        }

    def node_finished(self, event: events.NodeFinished) -> dict[str, Any]:
        outputs, is_cut = shown(event.outputs)
        return {
            **self._ended(event),
            "outputs": outputs,
            "outputs_truncated": is_cut,
            "status": event.status,
            "error": event.error,
            "elapsed_time": event.elapsed_s,
            "execution_metadata": self._metadata(event),
            "finished_at": int(event.at),
            "files": files_of(event.outputs),
        }

    def node_retried(self, event: events.NodeRetried) -> dict[str, Any]:
        return {
            **self._ended(event),
            "outputs": None,
            "outputs_truncated": False,
            "status": "retry",
            "error": event.error,
            "elapsed_time": event.elapsed_s,
            "execution_metadata": {"error_type": event.error_type, **_round_metadata(event.scope)},
            "finished_at": int(event.at),
            "files": [],
            "retry_index": event.retry_index,
        }

    def _ended(self, event: events.NodeFinished | events.NodeRetried) -> dict[str, Any]:
        inputs, is_cut = shown(event.inputs)
        process_data, is_process_cut = shown(event.process_data)
        return {
            "id": event.execution_id,
            "node_id": event.node_id,
            "node_type": event.node_type,
            "title": event.title,
            "index": event.index,
            "predecessor_node_id": event.predecessor_id,
            "inputs": inputs,
            "inputs_truncated": is_cut,
            "created_at": int(event.started_at),
            "extras": {},
            **_round_ids(event.scope),
            "agent_strategy": None,
            "process_data": process_data,
            "process_data_truncated": is_process_cut,
        }

    def _metadata(self, event: events.NodeFinished) -> dict[str, Any]:
        metadata: dict[str, Any] = {}
        if event.usage is not None:
            metadata["total_tokens"] = event.usage.total_tokens
            metadata["total_price"] = event.usage.total_price
            metadata["currency"] = event.usage.currency
        metadata.update(event.metadata)
        metadata.update(_round_metadata(event.scope))
        if event.error_type:
            metadata["error_type"] = event.error_type
        budget = self._budgets.pop(event.execution_id, None) or self._budgets.pop(event.node_id, None)
        if budget is not None:
            metadata["budget"] = budget
        return metadata

    def container_started(self, event: events.ContainerStarted) -> dict[str, Any]:
        inputs, is_cut = shown(event.inputs)
        return {
            **_container(event),
            "created_at": int(event.at),
            "extras": {},
            "metadata": {f"{event.kind}_length": event.length},
            "inputs": inputs,
            "inputs_truncated": is_cut,
        }

    def container_advanced(self, event: events.ContainerAdvanced) -> dict[str, Any]:
        data = {**_container(event), "index": event.index, "created_at": int(event.at), "extras": {}}
        if event.kind == "loop":
            data["pre_loop_output"] = event.previous_output
        return data

    def container_finished(self, event: events.ContainerFinished) -> dict[str, Any]:
        inputs, is_input_cut = shown(event.inputs)
        outputs, is_output_cut = shown(event.outputs)
        return {
            **_container(event),
            "outputs": outputs,
            "outputs_truncated": is_output_cut,
            "created_at": int(event.started_at),
            "extras": {},
            "inputs": inputs,
            "inputs_truncated": is_input_cut,
            "status": event.status,
            "error": event.error,
            "elapsed_time": event.elapsed_s,
            "total_tokens": event.total_tokens,
            "execution_metadata": event.metadata,
            "finished_at": int(event.at),
            "steps": event.steps,
        }

    def agent_logged(self, event: events.AgentLogged) -> dict[str, Any]:
        return {
            "node_execution_id": event.execution_id,
            "id": event.log_id,
            "label": event.label,
            "parent_id": event.parent_id,
            "error": event.error,
            "status": event.status,
            "data": event.data,
            "metadata": event.metadata,
            "node_id": event.node_id,
        }

    def human_input_required(self, event: events.HumanInputRequired) -> dict[str, Any]:
        form = {
            "form_id": event.form_id,
            "node_id": event.node_id,
            "node_title": event.node_title,
            **event.form,
            "expiration_time": int(event.expires_at),
        }
        return self._with_token(form)

    def _with_token(self, form: dict[str, Any]) -> dict[str, Any]:
        """The form with what opens it; None for one that is not delivered by page."""
        if "form_id" not in form:
            return form
        is_on_page = form.get("display_in_ui") is True
        return {**form, "form_token": self._form_token(form["form_id"]) if self._form_token and is_on_page else None}

    def human_input_answered(self, event: events.HumanInputAnswered) -> dict[str, Any]:
        if event.is_timeout:
            return {"node_id": event.node_id, "node_title": event.node_title, "expiration_time": int(event.at)}
        return {
            "node_id": event.node_id,
            "node_title": event.node_title,
            "rendered_content": event.rendered_content,
            "action_id": event.action_id,
            "action_text": event.action_text,
            "submitted_data": event.values,
        }


def _container(
    event: events.ContainerStarted | events.ContainerAdvanced | events.ContainerFinished,
) -> dict[str, Any]:
    return {
        "id": event.execution_id,
        "node_id": event.node_id,
        "node_type": event.node_type,
        "title": event.title,
    }


def _round_ids(scope: events.Scope | None) -> dict[str, str | None]:
    """The nearest enclosing iteration and loop."""
    ids: dict[str, str | None] = {"iteration_id": None, "loop_id": None}
    while scope is not None:
        key = f"{scope.kind}_id"
        if ids[key] is None:
            ids[key] = scope.node_id
        scope = scope.outer
    return ids


def _round_metadata(scope: events.Scope | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    while scope is not None:
        metadata.setdefault(f"{scope.kind}_id", scope.node_id)
        metadata.setdefault(f"{scope.kind}_index", scope.index)
        scope = scope.outer
    return metadata


def workflow_event(data: WorkflowData, event: events.Event) -> tuple[str, dict[str, Any]] | None:
    """Name and data of an event that every graph surface shows alike; None for all others."""
    match event:
        case events.NodeStarted():
            return "node_started", data.node_started(event)
        case events.NodeFinished():
            return "node_finished", data.node_finished(event)
        case events.RunStarted():
            return "workflow_started", data.run_started(event)
        case events.NodeRetried():
            return "node_retry", data.node_retried(event)
        case events.ContainerStarted():
            return f"{event.kind}_started", data.container_started(event)
        case events.ContainerAdvanced():
            return f"{event.kind}_next", data.container_advanced(event)
        case events.ContainerFinished():
            return f"{event.kind}_completed", data.container_finished(event)
        case events.HumanInputRequired():
            return "human_input_required", data.human_input_required(event)
        case events.HumanInputAnswered():
            name = "human_input_form_timeout" if event.is_timeout else "human_input_form_filled"
            return name, data.human_input_answered(event)
        case events.RunPaused():
            return "workflow_paused", data.paused(event)
        case _:
            return None


class WorkflowEncoder:
    """The stream of a workflow app."""

    def __init__(self, ticket: Ticket, form_token: FormToken | None = None) -> None:
        self._data = WorkflowData(ticket, form_token)
        self._frame = EventFrame({"workflow_run_id": ticket.run_id, "task_id": ticket.task_id})
        head = self._frame.frame("text_chunk", {})[: -len(b"}\n\n")] + b',"data":{"text":'
        self._text = TextFrame(head, is_nested=True)

    def encode(self, event: events.Event) -> bytes:
        if isinstance(event, events.TextDelta):
            return self._text.frame(event.text, event.selector)
        if isinstance(event, events.RunFinished):
            return self._frame.frame("workflow_finished", {"data": self._data.run_finished(event)})
        if (known := workflow_event(self._data, event)) is not None:
            return self._frame.frame(known[0], {"data": known[1]})
        match event:
            case events.ModelCalled():
                self._data.model_called(event)
            case events.TextReplaced():
                return self._frame.frame("text_replace", {"data": {"text": event.text}})
            case events.ReasoningDelta():
                reasoning = {"reasoning": event.text, "node_id": event.node_id, "is_final": event.is_final}
                return self._frame.frame("reasoning_chunk", {"data": reasoning})
            case events.AgentLogged():
                return self._frame.frame("agent_log", {"data": self._data.agent_logged(event)})
            case _:
                pass
        return b""

    def failure(self, *, code: str, status: int, message: str) -> bytes:
        return self._frame.frame("error", {"code": code, "status": status, "message": message}, without="task_id")


def pause_in(journal: Sequence[events.Event]) -> events.RunPaused | None:
    """How a run that waits came to its pause."""
    return next((event for event in reversed(journal) if isinstance(event, events.RunPaused)), None)


def workflow_blocking(
    ticket: Ticket,
    finished: events.RunFinished,
    paused: events.RunPaused | None = None,
    form_token: FormToken | None = None,
) -> dict[str, Any]:
    """The answer of a workflow in blocking mode; a failed run is one too, and so is one that waits for people."""
    data = WorkflowData(ticket, form_token)
    ending = data.run_finished(finished)
    if paused is not None:
        waiting = data.paused(paused)
        ending.update(outputs={}, finished_at=None, paused_nodes=waiting["paused_nodes"], reasons=waiting["reasons"])
    return {"task_id": ticket.task_id, "workflow_run_id": ticket.run_id, "data": ending}
