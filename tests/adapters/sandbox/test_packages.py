from __future__ import annotations

from pathlib import Path

import pytest

from adapters.sandbox.conftest import Open, failure, python

COLOURS = {
    "colours/__init__.py": "from .names import NAMES\nimport shades\ndef find(n):\n    return shades.dark(NAMES[n])\n",
    "colours/names.py": (
        "import pathlib\nNAMES = (pathlib.Path(__file__).parent / 'data' / 'names.txt').read_text().split()\n"
    ),
    "colours/data/names.txt": "red green blue",
    "shades.py": "def dark(name):\n    return 'dark ' + name\n",
    "unrelated/__init__.py": "raise RuntimeError('nobody asked for it')\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of packages, one of them with a data file and a dependency."""
    for name, text in COLOURS.items():
        path = tmp_path / "packages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "packages"


async def test_a_package_of_the_administrator_is_imported_with_what_it_needs(opened: Open, folder: Path):
    code = "import colours, sys\ndef main(n):\n    return {'c': colours.find(n), 'u': 'unrelated' in sys.modules}"

    assert await python(opened(packages=folder), code, n=1) == {"c": "dark green", "u": False}


async def test_what_a_program_does_to_a_package_is_gone_with_its_run(opened: Open, folder: Path):
    sandbox = opened(packages=folder)
    spoil = "import shades\ndef main():\n    open(shades.__file__, 'w').write('spoilt')\n    return {}"

    await python(sandbox, spoil)

    assert await python(sandbox, "import shades\ndef main():\n    return shades.dark('x')") == "dark x"
    assert (folder / "shades.py").read_text() == COLOURS["shades.py"]


async def test_a_link_out_of_the_folder_is_not_followed(opened: Open, folder: Path, tmp_path: Path):
    (tmp_path / "secret.py").write_text("X = 'secret'")
    (folder / "colours" / "secret.py").symlink_to(tmp_path / "secret.py")

    assert "No module named" in await failure(
        python(opened(packages=folder), "import colours.secret\ndef main():\n    return {}")
    )


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("jieba", "run `pip install --target FOLDER jieba` and set TIDEMILL_SANDBOX_PACKAGES=FOLDER."),
        ("sympy", "run `pip install --target FOLDER sympy` and set TIDEMILL_SANDBOX_PACKAGES=FOLDER."),
        ("pandas", "pandas has compiled parts: unpack its wheel for Pyodide"),
        ("numpy", "and set TIDEMILL_SANDBOX_PACKAGES to it."),
        ("matplotlib", "matplotlib has compiled parts"),
        (
            "requests",
            "Code has no network, so requests could not reach anything: send requests with an HTTP",
        ),
    ],
)
async def test_a_missing_package_is_named_with_the_setting_that_adds_it(opened: Open, name: str, advice: str):
    message = await failure(python(opened(), f"import {name}.x\ndef main():\n    return {{}}"))

    assert f"ModuleNotFoundError: No module named '{name}'" in message
    assert advice in message
    assert "TIDEMILL_SANDBOX_PACKAGES" in message


async def test_a_program_that_reaches_for_the_network_is_told_what_to_use(opened: Open):
    code = "from urllib import request\ndef main():\n    return request.urlopen('http://127.0.0.1:1/').status"

    assert (await failure(python(opened(), code))).endswith(
        "Code has no network: send requests with an HTTP request node."
    )


async def test_with_a_folder_the_advice_names_it(opened: Open, folder: Path):
    message = await failure(python(opened(packages=folder), "import jieba\ndef main():\n    return {}"))

    assert f"run `pip install --target {folder} jieba`." in message
