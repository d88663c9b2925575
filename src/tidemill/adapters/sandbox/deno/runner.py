"""Runs inside the interpreter, once, before its memory is saved: imports what programs use, defines how one is run.

It is read as text and never imported here.
"""

import gc
import json
import random
import sys
import traceback
import types
from collections.abc import Callable
from importlib import import_module

# Imported once here, they cost a run nothing.
COMMON = """
ast base64 bisect calendar collections copy csv dataclasses datetime decimal difflib enum fractions functools hashlib
heapq hmac html html.parser inspect io itertools logging math numbers operator os pathlib pprint re secrets statistics
string textwrap time typing unicodedata urllib.parse uuid xml.etree.ElementTree zlib zoneinfo
"""
BRIDGE = ("js", "pyodide_js", "_pyodide_core", "pyodide.ffi", "pyodide.code", "pyodide.http", "pyodide")


def make_run() -> Callable[[str, str, bool], tuple[str, str]]:
    """The function that runs one program. What it needs is kept from programs that change modules."""
    finder = import_module("_pyodide._importhook").jsfinder
    dumps, loads, reseed, frames_of, module_of = (
        json.dumps,
        json.loads,
        random.seed,
        traceback.extract_tb,
        types.ModuleType,
    )
    modules, path, finders = sys.modules, sys.path, sys.meta_path

    def explain(error: BaseException) -> str:
        """The message as Python's last line, with the line of the program."""
        if isinstance(error, SyntaxError):
            text, line = error.msg, error.lineno
        else:
            is_exit = isinstance(error, (SystemExit, KeyboardInterrupt))
            text = "the program ended itself" if is_exit else str(error)
            lines = [frame.lineno for frame in frames_of(error.__traceback__) if frame.filename == "<code>"]
            line = lines[-1] if lines else None
        name = type(error).__name__
        return (f"{name}: {text}" if text else name) + (f" (line {line})" if line else "")

    def close_bridge() -> None:
        """The way to JavaScript is not the program's business."""
        finder.jsproxies.clear()
        if finder in finders:
            finders.remove(finder)
        for name in BRIDGE:
            modules.pop(name, None)
        # Some packages look there for a browser, and do without one.
        modules["js"] = module_of("js")

    def run(code: str, inputs: str, has_packages: bool) -> tuple[str, str]:
        """The result as JSON, or else why there is none."""
        try:
            close_bridge()
            reseed()
            if has_packages:
                path.insert(0, "/packages")
            program = module_of("__main__")
            modules["__main__"] = program
            exec(compile(code, "<code>", "exec"), program.__dict__)  # noqa: S102 - it is what this is for
            main = program.__dict__.get("main")
            if not callable(main):
                raise NameError("the code defines no function main")
            return dumps(main(**loads(inputs))), ""
        except BaseException as error:  # noqa: BLE001 - the edge of the program
            try:
                return "", explain(error)
            except BaseException:  # noqa: BLE001 - its errors are the program's too
                return "", "The program raised something that cannot be shown."

    path.append("/lib/tzdata.zip")
    return run


for module in COMMON.split():
    import_module(module)
_run = make_run()
gc.collect()
