#!/usr/bin/env python3
"""What recording outside calls costs: CPU per run and bytes in the journal, for a streamed answer of 200 pieces.

    python bench/recording_bench.py [--runs 300] [--prompt-chars 4000]

In one process and without a network, so that the difference is the recording's own. The journal is packed in
batches of 20 events, as the server's recorder does a few times in a stream.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncGenerator

from tidemill.adapters.recording import recorded
from tidemill.domains.runs.journal_codec import pack
from tidemill.engine.graph import EdgeSpec, Graph, NodeSpec
from tidemill.engine.journal import MemoryJournal
from tidemill.engine.node import REGISTRY, RunInfo
from tidemill.engine.scheduler import Run
from tidemill.engine.testing import pool_of
from tidemill.llm.chat import bind
from tidemill.llm.types import ChatDelta, ChatModel, ChatRequest, EmbeddingModel, ModelFacts, ModelRef, TokenCounts
from tidemill.nodes import answer, llm, start
from tidemill.ports import Models

assert all(REGISTRY[kind, "1"] for kind in (llm.LLM.type, start.Start.type, answer.Answer.type))
FACTS = ModelFacts(provider="openai", name="gpt-4o-mini", window_tokens=128_000, tokenizer="o200k")
PIECES = [ChatDelta(text=f" word{index}") for index in range(200)]
END = ChatDelta(finish_reason="stop", counts=TokenCounts(prompt_tokens=900, completion_tokens=200))


class Wire:
    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        del request
        for piece in PIECES:
            yield piece
        yield END


class OneModel:
    async def chat(self, ref: ModelRef) -> ChatModel:
        del ref
        return bind(FACTS, Wire())

    async def embedding(self, ref: ModelRef) -> EmbeddingModel:
        raise AssertionError(ref)


def graph(prompt_chars: int) -> Graph:
    prompt = [
        {"role": "system", "text": "Be brief. " * (prompt_chars // 10)},
        {"role": "user", "text": "{{#sys.query#}}"},
    ]
    model = {"provider": "openai", "name": "gpt-4o-mini", "mode": "chat"}
    return Graph.build(
        [
            NodeSpec(id="start", type="start", data={"variables": []}),
            NodeSpec(id="llm", type="llm", data={"model": model, "prompt_template": prompt}),
            NodeSpec(id="answer", type="answer", data={"answer": "{{#llm.text#}}"}),
        ],
        [EdgeSpec(source="start", target="llm"), EdgeSpec(source="llm", target="answer")],
    )


async def once(plan: Graph, *, records: bool) -> tuple[float, int]:
    journal = MemoryJournal()
    ports: dict[type, object] = {Models: OneModel()}
    began = time.process_time()
    run = Run(
        plan,
        pool_of({("sys", "query"): "Hello"}),
        info=RunInfo(run_id="run"),
        ports=recorded(ports) if records else ports,
        journal=journal,
    )
    finished = await run.execute()
    packed = sum(len(pack(journal.events[at : at + 20])) for at in range(0, len(journal.events), 20))
    spent = time.process_time() - began
    assert finished.status == "succeeded", finished.error
    return spent, packed


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--prompt-chars", type=int, default=4000)
    options = parser.parse_args()
    plan = graph(options.prompt_chars)
    times: dict[bool, list[float]] = {False: [], True: []}
    sizes = {False: 0, True: 0}
    for records in (False, True):
        await once(plan, records=records)
    # In turns, so that a busy machine slows both alike.
    for _ in range(options.runs):
        for records in (False, True):
            spent, sizes[records] = await once(plan, records=records)
            times[records].append(spent * 1e6)
    for records in (False, True):
        found = sorted(times[records])
        name = "recorded" if records else "plain"
        print(
            f"{name:9} CPU us/run: median {statistics.median(found):.0f}, p10 {found[len(found) // 10]:.0f}, "
            f"p90 {found[len(found) * 9 // 10]:.0f}; journal {sizes[records]} bytes"
        )


if __name__ == "__main__":
    asyncio.run(main())
