#!/bin/sh
# Prepares .venv from constraints.txt, and shows how far it is: PYTHON=python3.11 sh setup.sh
# A problem ends in one line that says what to do. All that pip says is in .venv/setup.log.
set -u

PYTHON=${PYTHON:-}
LOG=.venv/setup.log
EXTRAS=animoto,cli,cloud,dev,otel,xray

fail() {
    echo "Error: $1" >&2
    exit "${2:-1}"
}

check_python() {
    [ -n "$PYTHON" ] || fail "CloudKon needs Python 3.11 or later, and there is no python3 on the PATH. Install it, or name it: make PYTHON=/path/to/python3.11" 2
    version=$("$PYTHON" --version 2>&1) || fail "$PYTHON can't be started. Name another Python, 3.11 or later: make PYTHON=/path/to/python3.11" 2
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
        || fail "CloudKon needs Python 3.11 or later; $PYTHON is $version. Name another: make PYTHON=/path/to/python3.11" 2
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null \
        || fail "$PYTHON has no venv module (Debian and Ubuntu have it in the package python3-venv). Install it, or name another Python: make PYTHON=/path/to/python3.11" 2
}

installed() {
    ls -d .venv/lib/python*/site-packages/*.dist-info 2>/dev/null | wc -l | tr -d ' '
}

# One line that says how far pip is, by its log and by what it has put into .venv.
how_far() {
    all=$(sed -n 's/^Installing collected packages: //p' "$LOG" | tr ',' '\n' | wc -l | tr -d ' ')
    if [ "$all" -gt 0 ]; then
        echo "installing, $(($(installed) - before)) of $all packages"
    elif tail -n 3 "$LOG" | grep -q 'Retrying'; then
        echo "the package index does not answer, trying again"
    else
        echo "downloading, packages so far: $(grep -c "^Collecting" "$LOG")"
    fi
}

# On a terminal the line is written over each second; elsewhere only what changes by a step is told.
show_progress() {
    last=
    while sleep 1 >/dev/null 2>&1; do
        line=$(how_far)
        if [ -t 2 ]; then
            printf '\r  %-60s' "$line" >&2
        elif [ "${line%%,*}" != "$last" ]; then
            last=${line%%,*}
            echo "  $last" >&2
        fi
    done
}

why_pip_failed() {
    if grep -qiE 'No space left' "$LOG"; then
        echo "the disk is full"
    elif grep -qE 'NewConnectionError|NameResolutionError|ConnectTimeoutError|ProxyError|name resolution' "$LOG"; then
        echo "the package index can't be reached. Check the network and pip's settings (pip config list)"
    else
        sed -n 's/^ERROR: //p' "$LOG" | head -n 1 | grep . || tail -n 1 "$LOG"
    fi
}

check_python
[ -w . ] || fail "$(pwd) can't be written to, and .venv has to be made there. Clone the repository to a folder of yours."

began=$(date +%s)
echo "Preparing .venv (two to three minutes, the first time)" >&2
mkdir -p .venv || exit 1
.venv/bin/python -m pip --version >/dev/null 2>&1 || {
    said=$("$PYTHON" -m venv --clear .venv 2>&1) || fail "$PYTHON -m venv failed: $(echo "$said" | tail -n 1)"
}

before=$(installed)
: >"$LOG"
show_progress &
progress=$!
trap 'kill $progress 2>/dev/null' EXIT
.venv/bin/python -m pip install --disable-pip-version-check --no-color --progress-bar off \
    -c constraints.txt -e ".[$EXTRAS]" >>"$LOG" 2>&1
code=$?
kill $progress 2>/dev/null
wait $progress 2>/dev/null
[ ! -t 2 ] || printf '\r%62s\r' '' >&2
[ "$code" = 0 ] || fail "$(why_pip_failed). What pip said is in $LOG; then run the command again."
echo "Prepared .venv in $(($(date +%s) - began)) s" >&2
