#!/usr/bin/env bash
# Run the README's first block as somebody does who has just cloned the repository: a copy of the tracked files alone,
# a user without rights, an empty home, the system's own ("externally managed") Python when there is one.
#   scripts/readme_start.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
FOLDER=$1
CLONE=$FOLDER/clone
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
BLOCK=$(python3 scripts/readme.py block start)

mkdir -p "$CLONE" "$FOLDER/home"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -P -t "$CLONE"

AS_USER=()
if [ "$(id -u)" = 0 ]; then
  id tidemill-visitor >/dev/null 2>&1 || useradd --no-create-home --shell /bin/bash tidemill-visitor
  chmod 755 "$FOLDER"
  chown -R tidemill-visitor "$CLONE" "$FOLDER/home"
  AS_USER=(setpriv --reuid tidemill-visitor --regid tidemill-visitor --clear-groups)
fi
SYSTEM_PATH=/usr/local/bin:/usr/bin:/bin
PATH=$SYSTEM_PATH python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || SYSTEM_PATH=$PATH

# What says where packages come from is passed on; nothing else of this environment is.
KEPT=()
for name in UV_DEFAULT_INDEX UV_FIND_LINKS PIP_INDEX_URL PIP_CERT SSL_CERT_FILE npm_config_registry HTTP_PROXY HTTPS_PROXY NO_PROXY; do
  [ -z "${!name-}" ] || KEPT+=("$name=${!name}")
done

# The block begins with the clone itself, which is made above.
COMMANDS=$(grep -v -e '^git clone' -e '^cd ' <<<"$BLOCK")
LOG=$FOLDER/readme.log
started=$SECONDS
(cd "$CLONE" && exec "${AS_USER[@]}" env -i PATH="$SYSTEM_PATH" HOME="$FOLDER/home" TIDEMILL_PORT="$PORT" "${KEPT[@]}" \
  setsid bash -euo pipefail -c "$COMMANDS") >"$LOG" 2>&1 &
SHELL_PID=$!
stop() { kill -TERM -- "-$(ps -o pgid= -p "$SHELL_PID" 2>/dev/null | tr -d ' ')" 2>/dev/null || kill "$SHELL_PID" 2>/dev/null || true; }
trap stop EXIT

until python3 -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$PORT/readyz', timeout=2)" 2>/dev/null; do
  if ! kill -0 "$SHELL_PID" 2>/dev/null || ((SECONDS - started > 600)); then
    echo "The README's first block did not start the program:" >&2
    cat "$LOG" >&2
    exit 1
  fi
  sleep 0.5
done
echo "From a clone to a page that answers: $((SECONDS - started)) s."
python3 - "$PORT" <<'PYTHON'
import sys
sys.path.insert(0, "scripts")
import started
try:
    started.check_page(f"http://127.0.0.1:{sys.argv[1]}")
except started.Unexpected as error:
    sys.exit(str(error))
PYTHON
tail -n 4 "$LOG"
