"""The order in which answers reach the reader (reference `workflow-dsl.md`, section 4.3).

Every response node (answer, end) owns a template of segments. Its stream is activated when, on some
path to it, every blocking edge has been taken. One stream is active at a time; others wait in line.
Segments are emitted strictly in order: literal text at once, a variable as its pieces arrive or, when
its producer does not stream, as a whole once it is known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum

from tidemill.engine.plan import Plan, Response, flood
from tidemill.engine.templates import TextSegment
from tidemill.engine.values import Missing, Selector, VariablePool, to_text


class NodeState(Enum):
    """What the responses need to know of a node."""

    WAITING = 0
    FINISHED = 1
    SKIPPED = 2


class _Stream:
    """A response whose text is being given or waits for its turn."""

    __slots__ = ("has_spoken", "position", "response", "taken")

    def __init__(self, response: Response) -> None:
        self.response = response
        self.position = 0
        self.taken = 0  # pieces of the current segment already given
        self.has_spoken = False


class Responses:
    """The response streams of one level of one run.

    `say(producer id, text, selector or None, is live)` is called for every piece, in reading order;
    `unsay(count)` takes back the last pieces when a producer starts over.
    """

    __slots__ = (
        "_active",
        "_idle",
        "_line",
        "_pieces",
        "_plan",
        "_pool",
        "_reached",
        "_said",
        "_say",
        "_state",
        "_unsay",
    )

    def __init__(
        self,
        plan: Plan,
        pool: VariablePool,
        say: Callable[[str, str, Selector | None, bool], None],
        unsay: Callable[[int], None],
    ) -> None:
        self._plan = plan
        self._pool = pool
        self._say = say
        self._unsay = unsay
        self._active: _Stream | None = None
        self._line: deque[_Stream] = deque()
        self._pieces: dict[Selector, list[str]] = {}
        self._said: dict[Selector, int] = {}
        self._state = [NodeState.WAITING] * len(plan.nodes)
        self._idle: list[Response] = []
        self._reached: dict[int, set[int]] = {}
        for response in plan.responses:
            if response.index in response.reached:
                self._line.append(_Stream(response))
            else:
                self._idle.append(response)
                self._reached[response.index] = set(response.reached)

    def begin(self) -> None:
        """Give what can be given before anything runs."""
        self._advance()

    def on_taken(self, source: int, targets: tuple[int, ...]) -> None:
        """Edges out of a blocking node were taken: some streams may begin."""
        woken: list[Response] = []
        for response in self._idle:
            if source in response.blocking:
                reached = self._reached[response.index]
                reached |= flood(response.free, set(targets))
                if response.index in reached:
                    woken.append(response)
        for response in woken:
            self._idle.remove(response)
            self._queue(_Stream(response))
        if woken:
            self._advance()

    def _queue(self, stream: _Stream) -> None:
        # A stream that is waiting and has said nothing yet lets one pass that can be told whole now:
        # a literal answer is not held back by a model that has not begun to speak.
        active = self._active
        if active is not None and not active.has_spoken and not self._line and self._is_whole(stream.response):
            self._line.appendleft(active)
            self._active = stream
        else:
            self._line.append(stream)

    def _is_whole(self, response: Response) -> bool:
        return all(isinstance(segment, TextSegment) for segment in response.segments)

    def on_piece(self, index: int, name: str, text: str) -> None:
        """A node gave the next piece of one of its outputs."""
        selector = (self._plan.nodes[index].id, name)
        if selector in self._plan.watched:
            self._pieces.setdefault(selector, []).append(text)
            self._advance()

    def on_restart(self, index: int) -> None:
        """A node begins anew (retry): what it had given is withdrawn."""
        node_id = self._plan.nodes[index].id
        for selector in [selector for selector in self._pieces if selector[0] == node_id]:
            del self._pieces[selector]
            said = self._said.pop(selector, 0)
            if said:
                self._unsay(said)
            if self._active is not None and self._current(self._active) == selector:
                self._active.taken = 0

    def on_finished(self, index: int) -> None:
        """A node ended and its outputs are in the pool."""
        self._state[index] = NodeState.FINISHED
        self._advance()

    def on_skipped(self, index: int) -> None:
        """A node will never run."""
        self._state[index] = NodeState.SKIPPED
        self._advance()

    def _current(self, stream: _Stream) -> Selector | None:
        segments = stream.response.segments
        if stream.position >= len(segments):
            return None
        segment = segments[stream.position]
        return None if isinstance(segment, TextSegment) else segment.selector

    def _advance(self) -> None:
        while True:
            if self._active is None:
                if not self._line:
                    return
                self._active = self._line.popleft()
            if not self._tell(self._active):
                return
            self._active = None

    def _tell(self, stream: _Stream) -> bool:
        """Give all that is known now; True when the stream is at its end."""
        segments = stream.response.segments
        while stream.position < len(segments):
            segment = segments[stream.position]
            if isinstance(segment, TextSegment):
                self._say(stream.response.node_id, segment.text, None, False)
                stream.has_spoken = True
            elif not self._tell_variable(stream, segment.selector):
                return False
            stream.position += 1
            stream.taken = 0
        return True

    def _tell_variable(self, stream: _Stream, selector: Selector) -> bool:
        """Give a variable's pieces or value; True when nothing more can come of it."""
        pieces = self._pieces.get(selector)
        if pieces is not None:
            for text in pieces[stream.taken :]:
                self._say(selector[0], text, selector, True)
                stream.has_spoken = True
                if stream is self._active:
                    self._said[selector] = self._said.get(selector, 0) + 1
            stream.taken = len(pieces)
        producer = self._plan.index_of.get(selector[0])
        state = NodeState.FINISHED if producer is None else self._state[producer]
        if state is NodeState.WAITING:
            # The response node itself may have ended, or been skipped, before this variable was ever set.
            return self._state[stream.response.index] is not NodeState.WAITING
        if pieces is None and state is NodeState.FINISHED:
            return self._tell_value(stream, selector, is_known=producer is not None)
        return True

    def _tell_value(self, stream: _Stream, selector: Selector, *, is_known: bool) -> bool:
        value = self._pool.find(selector)
        if isinstance(value, Missing):
            # Nothing was produced; a variable from elsewhere may still be set before the response ends.
            return is_known or self._state[stream.response.index] is not NodeState.WAITING
        text = to_text(value, "markdown" if stream.response.is_markdown else "text")
        if text:
            self._say(selector[0], text, selector, False)
            stream.has_spoken = True
        return True
