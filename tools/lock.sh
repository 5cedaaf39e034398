#!/bin/sh
# Write requirements/locked.txt (newest versions) and requirements/minimal.txt (oldest supported ones).
# Plain "name==version" lines, resolved for the oldest Python, so that every newer one finds wheels too.
# Usage: tools/lock.sh UV
set -eu
uv=$1

compile() {
    target=$1
    shift
    "$uv" pip compile pyproject.toml --quiet --python-version 3.11 --only-binary :all: \
        --no-header --no-annotate --no-emit-index-url --upgrade "$@" --output-file "$target"
}

compile requirements/locked.txt --extra dev
# Only what omnistock names itself goes down to its lowest version; what those need in turn
# is for their own makers to bound.
compile requirements/minimal.txt --extra test --resolution lowest-direct
