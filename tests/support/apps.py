"""Small app files, and how to have one imported."""

from __future__ import annotations

from typing import Any

from httpx import AsyncClient

CHAT_FLOW = """
version: '0.7.0'
kind: app
app: {name: Small talk, mode: advanced-chat, icon: '🤖', icon_background: '#FFEAD5', description: ''}
workflow:
  graph:
    nodes:
    - {id: start, type: custom, data: {type: start, title: Start, variables: []}}
    - id: llm
      type: custom
      data:
        type: llm
        title: LLM
        model: {provider: PROVIDER, name: MODEL, mode: chat, completion_params: {}}
        prompt_template: [{role: system, text: Be kind.}, {role: user, text: '{{#sys.query#}}'}]
        context: {enabled: false, variable_selector: []}
        vision: {enabled: false}
    - {id: answer, type: custom, data: {type: answer, title: Answer, answer: '{{#llm.text#}}', variables: []}}
    edges:
    - {id: a, source: start, target: llm, sourceHandle: source, targetHandle: target}
    - {id: b, source: llm, target: answer, sourceHandle: source, targetHandle: target}
  features: {}
  environment_variables: []
  conversation_variables: []
"""

IF_ELSE_FLOW = """
version: '0.7.0'
kind: app
app: {name: Branch, mode: workflow, icon: '🤖', icon_background: '#FFEAD5', description: ''}
workflow:
  graph:
    nodes:
    - id: start
      type: custom
      data:
        type: start
        title: Start
        variables: [{variable: word, label: Word, type: text-input, required: true, max_length: 48, options: []}]
    - id: branch
      type: custom
      data:
        type: if-else
        title: Branch
        cases:
        - case_id: 'true'
          logical_operator: and
          conditions: [{id: c, variable_selector: [start, word], comparison_operator: is, value: sea, varType: string}]
    - {id: 'yes', type: custom, data: {type: end, title: Sea, outputs: [{variable: w, value_selector: [start, word]}]}}
    - {id: 'no', type: custom, data: {type: end, title: Land, outputs: [{variable: w, value_selector: [start, word]}]}}
    edges:
    - {id: a, source: start, target: branch, sourceHandle: source, targetHandle: target}
    - {id: b, source: branch, target: 'yes', sourceHandle: 'true', targetHandle: target}
    - {id: c, source: branch, target: 'no', sourceHandle: 'false', targetHandle: target}
  features: {}
  environment_variables: []
  conversation_variables: []
"""


def chat_flow(provider: str = "demo", model: str = "demo") -> str:
    """Start, one model call, answer."""
    return CHAT_FLOW.replace("PROVIDER", provider).replace("MODEL", model)


def with_secret(value: str) -> str:
    """`IF_ELSE_FLOW` with a secret environment variable TOKEN."""
    variable = f"{{id: e1, name: TOKEN, value_type: secret, value: '{value}', selector: [env, TOKEN], description: ''}}"
    return IF_ELSE_FLOW.replace("environment_variables: []", f"environment_variables: [{variable}]")


async def add_app(
    console: AsyncClient, content: str = "", *, name: str | None = None, model: tuple[str, str] = ("demo", "demo")
) -> dict[str, Any]:
    """Import an app file, a small chat flow by default, and return the app."""
    body = {"content": content or chat_flow(*model), "name": name}
    answer = await console.post("/apps/import", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["app"]
