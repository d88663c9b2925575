"""What `start.py` does: an environment in `.venv`, the package in it, then the program or its tests.

Standard library only. Package indexes come from the environment (`UV_DEFAULT_INDEX`, `npm_config_registry`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import console_build
import sandbox_build

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "tidemill-installed"
BINARIES = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
SUFFIX = ".exe" if os.name == "nt" else ""
PYTHON = BINARIES / f"python{SUFFIX}"
UV = "uv>=0.9,<1"
INDEX_HINT = "If the package index is slow or blocked here, set UV_DEFAULT_INDEX to a mirror and try again."
NO_PIP = (
    "This Python can create no environment with pip: its `ensurepip` module is missing. Install it "
    "(on Debian and Ubuntu: the package python3-venv) or install uv, then run this again."
)
SLOW_AFTER_S = 60.0


class InstallFailed(Exception):
    """One sentence that says what went wrong and what to do."""


def main(arguments: list[str]) -> int:
    """Install what is missing, then do what the first argument says; without one, start the server."""
    action = arguments[0] if arguments and arguments[0] in ("test", "install", "console", "sandbox") else "serve"
    rest = arguments[1:] if action != "serve" else [word for word in arguments if word != "serve"]
    try:
        ensure_installed(dev=action == "test" or "--dev" in rest)
    except InstallFailed as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    if action == "test":
        return _become([str(PYTHON), "-m", "pytest", "-q", *(rest or ["-n", "2", "--dist", "worksteal"])])
    if action == "console":
        return build_console(force=True)
    if action == "sandbox":
        return build_sandbox(force=True)
    if action == "install":
        return 0
    return _become([str(BINARIES / f"tidemill{SUFFIX}"), "serve", "--open", *rest])


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def ensure_installed(*, dev: bool) -> None:
    """Bring `.venv` up to date with the sources; does nothing when it already is.

    Raises:
        InstallFailed: No environment could be made, or the packages could not be fetched.
    """
    wanted = _fingerprint()
    stamps = STAMP.read_text().split() if STAMP.is_file() else []
    if stamps[:1] == [wanted] and (not dev or "dev" in stamps) and PYTHON.exists():
        return
    say(f"Installing Tidemill into {ENVIRONMENT.name} (only when something changed) ...")
    _create_environment()
    uv = _find_uv()
    build_console(uv=uv)
    build_sandbox(uv=uv)
    dev = dev or "dev" in stamps
    command = [uv, "pip", "install", "--python", str(PYTHON), "--editable", ".[redis]" if dev else "."]
    _run(command + (["--group", "dev"] if dev else []), {"TIDEMILL_CONSOLE": "skip"})
    STAMP.write_text(f"{wanted} {'dev' if dev else ''}\n")


def _fingerprint() -> str:
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + sandbox_build.RELEASE.encode())
    if (ROOT / "console" / "package.json").is_file():
        digest.update(console_build.sources_hash(ROOT / "console").encode())
    return digest.hexdigest()


def _create_environment() -> None:
    if PYTHON.exists() and _succeeds([str(PYTHON), "-c", ""]):
        return
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    has_pip = find_spec("ensurepip") is not None
    if not has_pip and not (shutil.which("uv") or find_spec("pip")):
        raise InstallFailed(NO_PIP)
    command = [sys.executable, "-m", "venv", str(ENVIRONMENT)]
    done = subprocess.run(command + ([] if has_pip else ["--without-pip"]), capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        raise InstallFailed(f"{NO_PIP}\n{(done.stdout + done.stderr).strip()}")


def _find_uv() -> str:
    """The environment's own uv, installing it when needed; else one on PATH."""
    own = BINARIES / f"uv{SUFFIX}"
    if own.exists():
        return str(own)
    wanted = ["install", "--quiet", "--disable-pip-version-check", *_pip_index(), UV]
    if _succeeds([str(PYTHON), "-m", "pip", "--version"]):
        _run([str(PYTHON), "-m", "pip", *wanted])
    elif (found := shutil.which("uv")) and _succeeds([found, "--version"]):
        return found
    elif find_spec("pip") is not None:
        _run([sys.executable, "-m", "pip", "--python", str(PYTHON), *wanted])
    else:
        raise InstallFailed(NO_PIP)
    return str(own)


def _pip_index() -> list[str]:
    index = os.environ.get("UV_DEFAULT_INDEX")
    return ["--index-url", index] if index else []


def build_console(*, uv: str = "", force: bool = False) -> int:
    """Build the console where it can be watched. A failure is left to the page to show: the API works without."""
    if not force and console_build.is_current(ROOT):
        return 0
    return _with_node("console_build.py", uv=uv, force=force)


def build_sandbox(*, uv: str = "", force: bool = False) -> int:
    """Fetch the interpreter of code nodes. A failure is left to those nodes to tell: the rest works without."""
    if not force and sandbox_build.is_current(ROOT):
        return 0
    return _with_node("sandbox_build.py", uv=uv, force=force)


def _with_node(name: str, *, uv: str, force: bool) -> int:
    script = [str(ROOT / "scripts" / name), *(["--force"] if force else [])]
    if console_build.system_node() is not None:
        return subprocess.call([str(PYTHON), *script])
    uv = uv or _find_uv()
    say("There is no Node 20.19 or newer: using one from a Python package.")
    tool = [uv, "run", "--quiet", "--no-project", "--python", str(PYTHON), "--with", console_build.NODE_WHEEL]
    return subprocess.call([*tool, "python", *script])


def _run(command: list[str], extra: dict[str, str] | None = None) -> None:
    slow = threading.Timer(SLOW_AFTER_S, say, [f"The packages take long to arrive. {INDEX_HINT}"])
    slow.daemon = True
    slow.start()
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONHOME")}
    if "PIP_INDEX_URL" in environment:
        environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    try:
        code = subprocess.call(command, cwd=ROOT, env={**environment, **(extra or {})})
    finally:
        slow.cancel()
    if code:
        raise InstallFailed(f"The packages could not be installed (see above). {INDEX_HINT}")


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def _become(command: list[str]) -> int:
    """Run a program in this one's place, so that signals and exit codes are its own."""
    os.chdir(ROOT if "pytest" in command else Path.cwd())
    if os.name != "nt":
        os.execv(command[0], command)
    return subprocess.call(command)
