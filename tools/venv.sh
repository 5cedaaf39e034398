#!/bin/sh
# Make the virtual environment FOLDER with a Python that omnistock supports.
# Usage: tools/venv.sh FOLDER [PYTHON]
set -eu
folder=$1
wanted=${2:-}

# An environment that is there and works stays, whoever made it.
if "$folder/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    touch "$folder/.made"
    exit 0
fi

supported() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "$wanted" ]; then
    candidates=$wanted
else
    candidates="python3 python3.13 python3.12 python3.11 python3.14 python"
fi
python=
for candidate in $candidates; do
    if supported "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "omnistock needs Python 3.11 or newer; tried: $candidates." >&2
    echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    echo "$python ($("$python" -V)) cannot make virtual environments: its venv module is missing." >&2
    echo "On Debian and Ubuntu: apt-get install python3-venv (or python3.12-venv for python3.12)." >&2
    exit 1
fi

echo "making $folder with $("$python" -V)"
# Half an environment is what an interrupted run leaves behind.
rm -rf "$folder"
"$python" -m venv "$folder"
touch "$folder/.made"
