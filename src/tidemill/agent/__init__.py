"""The tool-calling loop of agent apps and agent nodes: function calling and ReAct, over `llm` and `ports`."""
