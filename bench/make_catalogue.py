"""Make `src/tidemill/llm/catalogue/models.json` from litellm's `model_prices_and_context_window_backup.json`.

    python bench/make_catalogue.py path/to/model_prices_and_context_window_backup.json 1.106.2

The second argument is the litellm release the file came with. What the file does not know, or what we know
better, stands in `extra.json` beside the result and is kept by hand.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "src" / "tidemill" / "llm" / "catalogue" / "models.json"
PROVIDERS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "azure": "azure_openai",
    "gemini": "gemini",
    "deepseek": "deepseek",
    "dashscope": "tongyi",
    "zai": "zhipuai",
    "moonshot": "moonshot",
    "volcengine": "volcengine_maas",
    "groq": "groq",
    "ollama": "ollama",
}
KINDS = {"chat": "chat", "responses": "chat", "completion": "completion", "embedding": "embedding"}
LETTERS = {
    "supports_vision": "v",
    "supports_pdf_input": "d",
    "supports_audio_input": "a",
    "supports_video_input": "w",
    "supports_function_calling": "t",
    "supports_parallel_function_calling": "m",
    "supports_response_schema": "s",
    "supports_reasoning": "r",
}
# These take `json_object`, and a schema at most for some of their models.
NO_SCHEMA = {"deepseek", "tongyi", "zhipuai", "moonshot", "volcengine_maas"}
UNWANTED = re.compile(
    r"container|computer-use|deep-research|robotics|lyria|guard|codegemma|-tts|^ft:|standard/"
    r"|/(?:us|eu|apac|us-gov|global)/"
)


def row(provider: str, entry: dict[str, Any]) -> list[Any] | None:
    """`[kind, window, max output, features]`, None for what is of no use."""
    kind = KINDS.get(entry.get("mode", ""))
    window = entry.get("max_input_tokens") or entry.get("max_tokens")
    if kind is None or not isinstance(window, int):
        return None
    letters = "".join(letter for flag, letter in LETTERS.items() if entry.get(flag))
    if kind == "embedding":
        return ["embedding", window, None, ""]
    if provider in NO_SCHEMA:
        letters = letters.replace("s", "")
    if provider == "ollama":
        letters += "" if "s" in letters else "s"
    if provider != "anthropic":
        letters += "o"
    if entry.get("supports_sampling_params") is False:
        letters += "f"
    output = entry.get("max_output_tokens")
    return [kind, window, output if isinstance(output, int) else None, "".join(sorted(letters))]


def main(source: str, release: str) -> None:
    entries: dict[str, dict[str, Any]] = json.loads(Path(source).read_text(encoding="utf-8"))
    models: dict[str, dict[str, list[Any]]] = {}
    for key, entry in entries.items():
        provider = PROVIDERS.get(entry.get("litellm_provider", ""))
        if provider is None or UNWANTED.search(key):
            continue
        found = row(provider, entry)
        if found is not None:
            prefix = f"{entry['litellm_provider']}/"
            models.setdefault(provider, {})[key.removeprefix(prefix)] = found
    head = {
        "source": f"litellm {release}, model_prices_and_context_window_backup.json (MIT, (c) Berri AI), condensed",
        "row": "kind, window tokens, largest output, features (letters as in catalogue/__init__.py)",
    }
    lines = [f' "{name}": {json.dumps(value)},' for name, value in head.items()]
    blocks: list[str] = []
    for provider in sorted(models):
        rows = [f"   {json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(models[provider].items())]
        blocks.append(f'  "{provider}": {{\n' + ",\n".join(rows) + "\n  }")
    TARGET.write_text(
        "{\n" + "\n".join(lines) + '\n "models": {\n' + ",\n".join(blocks) + "\n }\n}\n", encoding="utf-8"
    )
    print({provider: len(rows) for provider, rows in models.items()}, TARGET.stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
