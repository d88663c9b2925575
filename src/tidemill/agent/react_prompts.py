"""What a model is told that reasons and acts in text."""

from __future__ import annotations

from typing import Final

CHAT: Final = """{{instruction}}

You can use these tools:

{{tools}}

Work in steps. In every step write your reasoning after "Thought:", then one action after "Action:" as a single JSON \
object with two keys: "action", which is one of [{{tool_names}}, "Final Answer"], and "action_input", which holds the \
tool's parameters as an object. For example:

Thought: what you consider, given the question and what you have seen so far
Action:
```json
{"action": "name of a tool", "action_input": {"parameter": "value"}}
```

The result then comes after "Observation:"; never write it yourself. Take one action at a time and as many steps as \
the question needs. As soon as you know the answer, or when no tool can help, end with:

Thought: I know what to answer
Action:
```json
{"action": "Final Answer", "action_input": "the whole answer for the user"}
```

Answer in the language of the question.
"""

WITHOUT_TOOLS: Final = """{{instruction}}

No tool can be used any more. Write your answer for the user from what you have seen so far, as a single JSON object:

```json
{"action": "Final Answer", "action_input": "the whole answer for the user"}
```

Answer in the language of the question.
"""

TEXT_END: Final = """
{{historic_messages}}
Question: {{query}}
{{agent_scratchpad}}
Thought:"""

GO_ON: Final = "Go on with the next step."
