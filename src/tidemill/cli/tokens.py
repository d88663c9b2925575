"""`tidemill tokens`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tidemill.cli.failure import CommandFailed
from tidemill.cli.options import AsJson, new_app, read_text
from tidemill.llm import catalogue
from tidemill.llm.budget import LEAST_ANSWER
from tidemill.llm.errors import ContextExceeded
from tidemill.llm.presets import PRESETS, resolve
from tidemill.llm.tokens import count_text, is_exact
from tidemill.llm.types import ModelFacts

app = new_app()

DEFAULT_TOKENIZER = "o200k"


@app.command()
def tokens(
    text: Annotated[str, typer.Argument(help="The text, @file, or - for standard input.", show_default=False)] = "-",
    model: Annotated[str, typer.Option("--model", metavar="M", help="A model, as NAME or PROVIDER/NAME.")] = "",
    window: Annotated[int, typer.Option("--window", metavar="N", min=0, help="The context window in tokens.")] = 0,
    max_tokens: Annotated[int, typer.Option("--max-tokens", metavar="N", min=0, help="The answer asked for.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Count the tokens of a text and what a model's window leaves for the answer.

    prompt + max_tokens never exceeds the window: of a window of 8192, a prompt of 4000 leaves 4192.
    """
    facts = _facts(model) if model else None
    tokenizer = facts.tokenizer if facts else catalogue.tokenizer_for(model) if model else DEFAULT_TOKENIZER
    count = count_text(read_text(text), tokenizer)
    size = window or (facts.window_tokens if facts else 0)
    result: dict[str, str | int | bool | None] = {
        "tokens": count,
        "is_exact": is_exact(tokenizer),
        "tokenizer": tokenizer,
        "model": f"{facts.provider}/{facts.name}" if facts else model or None,
        "window_tokens": size or None,
        "remaining_tokens": size - count if size else None,
        "max_tokens": _answer(size - count, max_tokens, facts) if size else None,
    }
    if as_json:
        print(json.dumps(result))
    else:
        print("\n".join(_lines(result, max_tokens)))
    if size and size - count < LEAST_ANSWER:
        refusal = ContextExceeded(
            window_tokens=size, prompt_tokens=count, remaining_tokens=size - count, model=facts.name if facts else model
        )
        raise CommandFailed(str(refusal), exit_code=1)


def _facts(model: str) -> ModelFacts | None:
    """What the catalogue knows of `NAME` or `PROVIDER/NAME`."""
    provider, _, name = model.partition("/")
    preset = resolve(provider) if name else None
    if preset is not None:
        return catalogue.facts(preset.id, name)
    return next((found for id in PRESETS if (found := catalogue.facts(id, model))), None)


def _answer(remaining: int, wanted: int, facts: ModelFacts | None) -> int:
    limits = [remaining, wanted or None, facts.max_output_tokens if facts else None]
    return max(0, min(limit for limit in limits if limit is not None))


def _lines(result: dict[str, str | int | bool | None], wanted: int) -> list[str]:
    kind = "exact" if result["is_exact"] else "estimated, an upper bound"
    lines = [f"tokens      {result['tokens']} ({kind}, {result['tokenizer']})"]
    if result["model"]:
        lines.append(f"model       {result['model']}")
    if result["window_tokens"]:
        asked = f" ({wanted} asked for)" if wanted else ""
        lines.append(f"window      {result['window_tokens']}")
        lines.append(f"left        {result['remaining_tokens']}")
        lines.append(f"max_tokens  {result['max_tokens']} at most{asked}")
    elif result["model"]:
        lines.append("window      unknown: give it with --window")
    return lines
