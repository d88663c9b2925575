"""CPU seconds and memory of process trees, read from /proc (Linux, standard library only)."""

# pyright: basic
from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterable
from typing import NamedTuple

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Process(NamedTuple):
    parent: int
    ticks: int
    """CPU, with that of children that have ended and were waited for."""
    threads: int
    rss_pages: int


def _stat(pid: int) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            rest = f.read().rsplit(b")", 1)[1].split()
    except OSError:
        return None
    # rest[0] is field 3 (state); ppid 4, utime 14, stime 15, cutime 16, cstime 17, threads 20, rss 24
    return Process(int(rest[1]), sum(map(int, rest[11:15])), int(rest[17]), int(rest[21]))


def tree(roots: Iterable[int]) -> dict[int, Process]:
    """The processes of the roots and of all below, by pid."""
    found = {int(d): _stat(int(d)) for d in os.listdir("/proc") if d.isdigit()}
    everything = {pid: process for pid, process in found.items() if process}
    kids: dict[int, list[int]] = {}
    for pid, process in everything.items():
        kids.setdefault(process.parent, []).append(pid)
    out: dict[int, Process] = {}
    todo = [r for r in roots if r in everything]
    while todo:
        p = todo.pop()
        if p not in out:
            out[p] = everything[p]
            todo += kids.get(p, ())
    return out


def cpu_seconds(roots: Iterable[int]) -> float:
    return sum(p.ticks for p in tree(roots).values()) / TICK


def rss_bytes(roots: Iterable[int]) -> int:
    return sum(p.rss_pages for p in tree(roots).values()) * PAGE


def pss_bytes(roots: Iterable[int]) -> int:
    """Proportional set size: shared pages counted once over the sharers. 0 where not readable."""
    total = 0
    for pid in tree(roots):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", "rb") as f:
            for line in f:
                if line.startswith(b"Pss:"):
                    total += int(line.split()[1]) * 1024
                    break
    return total


def summary(roots: Iterable[int]) -> dict[str, float]:
    roots = list(roots)
    t = tree(roots)
    return {
        "processes": len(t),
        "threads": sum(p.threads for p in t.values()),
        "rss_mib": round(sum(p.rss_pages for p in t.values()) * PAGE / 2**20, 1),
        "pss_mib": round(pss_bytes(roots) / 2**20, 1),
    }


class PeakRss(threading.Thread):
    """Samples the RSS of named groups of process trees; .peak[name] is in bytes."""

    def __init__(self, groups: dict[str, list[int]], period: float = 0.5) -> None:
        super().__init__(daemon=True)
        self.groups, self.period = groups, period
        self.peak = dict.fromkeys(groups, 0)
        self._stop_evt = threading.Event()

    def run(self) -> None:
        while True:
            for name, roots in self.groups.items():
                self.peak[name] = max(self.peak[name], rss_bytes(roots))
            if self._stop_evt.wait(self.period):
                return

    def stop(self) -> None:
        self._stop_evt.set()
        self.join()


def du_bytes(path: str) -> int:
    """Bytes on disk below path (allocated blocks, each inode once)."""
    seen: set[int] = set()
    total = 0
    for base, dirs, files in os.walk(path):
        for n in files + dirs:
            try:
                st = os.lstat(os.path.join(base, n))
            except OSError:
                continue
            if st.st_ino not in seen:
                seen.add(st.st_ino)
                total += st.st_blocks * 512
    return total


def end_tree(root: int, grace: float = 8.0) -> None:
    """TERM then KILL the tree below one pid, and nothing else."""
    pids = list(tree([root]))
    _signal(pids, signal.SIGTERM)
    t0 = time.monotonic()
    while time.monotonic() - t0 < grace:
        if not any(_alive(p) for p in pids):
            return
        time.sleep(0.05)
    _signal(pids, signal.SIGKILL)


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rsplit(b")", 1)[1].split()[0] != b"Z"
    except OSError:
        return False
