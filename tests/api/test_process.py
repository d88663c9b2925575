"""What a whole server process does beside answering: it loads what model calls need, and prints no warnings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WARM_UP = """
import asyncio, sys
from pathlib import Path
from tidemill.kit.settings import load
from tidemill.llm import tokens
from tidemill.main import create_app

def loaded():
    return "genai_prices" in sys.modules, "tiktoken" in sys.modules

async def main():
    app = create_app(load(home=Path(sys.argv[1]), environ={}, cwd=Path(sys.argv[1])))
    async with app.router.lifespan_context(app):
        print(*loaded())
        await next(task for task in asyncio.all_tasks() if task.get_name() == "warm up")
        print(*loaded())

asyncio.run(main())
"""

# Reads every route while threads open and close the process's warning filters, as imports in threads do.
ROUTES = """
import sys, threading, time, warnings
from pathlib import Path
from fastapi import FastAPI
from tidemill.api.console import create_console_api
from tidemill.api.surfaces import mount_surfaces
from tidemill.kit.settings import load

settings = load(home=Path(sys.argv[1]), environ={}, cwd=Path(sys.argv[1]))
app = FastAPI()
app.state.settings = settings
mount_surfaces(app, settings)
sys.setswitchinterval(1e-6)
is_over = threading.Event()

def churn():
    while not is_over.is_set():
        with warnings.catch_warnings():
            time.sleep(0.001)

threads = [threading.Thread(target=churn) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(3):
    create_console_api().openapi()
is_over.set()
"""


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "always", "-c", script, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)


def test_what_the_first_model_call_needs_is_loaded_after_the_start_and_not_during_it(tmp_path: Path):
    assert run(WARM_UP, tmp_path).stdout.split("\n")[:2] == ["False False", "True True"]


def test_reading_routes_beside_threads_prints_no_warning(tmp_path: Path):
    assert "UnsupportedFieldAttributeWarning" not in run(ROUTES, tmp_path).stderr
