"""The OpenAI-compatible wire of embeddings.

Reference: OpenAI's API reference, "Embeddings".
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tidemill.llm.errors import ModelError, StreamBroken
from tidemill.llm.transport import Endpoint, posted, read_body


class _Vector(msgspec.Struct):
    index: int
    embedding: list[float]


class _Vectors(msgspec.Struct):
    data: list[_Vector]


_decode = msgspec.json.Decoder(_Vectors).decode


class OpenAIEmbedding:
    """Embeds texts in batches; the vectors keep the order of the texts."""

    def __init__(self, endpoint: Endpoint, *, model: str, batch: int) -> None:
        self._endpoint = endpoint
        self._model = model
        self._batch = batch

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector per text, in order."""
        vectors: list[list[float]] = []
        for start in range(0, len(texts), self._batch):
            vectors.extend(await self._embed(texts[start : start + self._batch]))
        return vectors

    async def _embed(self, texts: Sequence[str]) -> list[list[float]]:
        provider = self._endpoint.provider
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        async with posted(self._endpoint, body) as response:
            raw = await read_body(response, provider)
        try:
            rows = sorted(_decode(raw).data, key=lambda row: row.index)
        except msgspec.DecodeError as error:
            raise StreamBroken(f"{provider} answered with something that is not a list of embeddings.") from error
        if len(rows) != len(texts):
            raise ModelError(f"{provider} returned {len(rows)} embeddings for {len(texts)} texts.")
        return [row.embedding for row in rows]
