# Makes .venv from requirements.lock, or does nothing when it is up to date. Sourced by the scripts
# beside it, with the project's root as the current folder.
bootstrap() {
    local stamp=.venv/.lock-digest want python=${PYTHON:-python3}
    want=$(cat requirements.lock pyproject.toml | sha256sum | cut -d' ' -f1)
    if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
        return 0
    fi
    if ! "$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "error: Python 3.11 or newer with the venv module is needed; set PYTHON to name it." >&2
        return 1
    fi
    echo "Preparing .venv (the first time takes about half a minute) ..."
    "$python" -m venv .venv &&
        .venv/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock &&
        .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e . &&
        echo "$want" >"$stamp"
}
