"""Tidemill: build, run and operate LLM applications."""

__version__ = "0.1.0"
