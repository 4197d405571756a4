# Sourced by run.sh and tests/run.sh from the top folder: makes the virtual environment $VENV (default .venv) with
# $PYTHON (default python3; 3.11 or 3.12) and installs when the pins changed. Sets $python.
venv="${VENV:-.venv}"
if [ ! -x "$venv/bin/python" ]; then
    "${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' || {
        echo "error: ${PYTHON:-python3} is not Python 3.11 or 3.12; set PYTHON to one that is" >&2
        exit 2
    }
    "${PYTHON:-python3}" -m venv "$venv"
fi
pins=$(cksum <requirements.txt)
if [ "$(cat "$venv/installed_pins" 2>/dev/null)" != "$pins" ]; then
    echo "installing requirements.txt into $venv (once, a few minutes)"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements.txt
    echo "$pins" >"$venv/installed_pins"
fi
python="$venv/bin/python"
