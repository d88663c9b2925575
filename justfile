# Recipes for contributors. Each is one line, so it can be typed without `just` too.

# Install everything for development
install:
    python3 start.py install --dev

# Resolve the dependency ranges and write the exact versions into pyproject.toml
lock *options:
    .venv/bin/python scripts/lock.py {{options}}

# Everything CI runs, or only the named steps: just ci lint types
ci *steps:
    .ci/run {{steps}}

# Format
format:
    .venv/bin/ruff check --fix . && .venv/bin/ruff format .

# The server with reload, and the console's dev server beside it
dev:
    .venv/bin/tidemill serve --reload

console:
    npm --prefix console run dev

# Tests of one part: just test tests/engine
test *arguments:
    .venv/bin/pytest -q {{arguments}}
