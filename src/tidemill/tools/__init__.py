"""Tools that need no plugin: built-in ones, and those that an OpenAPI document describes."""
