"""Install a wheel into an empty environment and start it with no Node and no network: wheel_start.py WHEEL FOLDER"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import started

UV = str(Path(sys.executable).with_name("uv"))


def main() -> int:
    wheel, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    venv, home = folder / "bare", folder / "home"
    home.mkdir(parents=True)
    # Elsewhere than in the project, whose constraints do not travel with a wheel.
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, str(venv)], check=True, cwd=folder)
    install = [UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(venv / "bin" / "python")]
    subprocess.run([*install, str(wheel)], check=True, cwd=folder)
    size = sum(file.stat().st_size for file in venv.rglob("*") if file.is_file() and not file.is_symlink())
    print(f"installed size {size / 1e6:.0f} MB")
    port = started.free_port()
    command = [str(venv / "bin" / "tidemill"), "serve", "--port", str(port)]
    environment = started.bare_environment(home, str(venv / "bin"))
    try:
        with started.running(command, environment, port, folder / "serve.log") as url:
            started.check_page(url)
    except started.Unexpected as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
