#!/bin/sh
# The browser tests need a Chromium. Where none is found and this is Debian as root, install one.
set -eu
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing Chromium for the browser tests"
    export DEBIAN_FRONTEND=noninteractive
    # The package lists of a fresh machine are empty or old.
    apt-get update -q
    apt-get install -y -q --no-install-recommends chromium
else
    echo "no Chromium found: the browser tests will be skipped; install it to run them" >&2
fi
