"""The tools of a workspace: OpenAPI documents, MCP servers and workflows published as tools."""
