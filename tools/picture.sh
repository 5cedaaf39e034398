#!/bin/sh
# Take the picture of a page that the README shows.
# Usage: tools/picture.sh PAGE.html PICTURE.png [WIDTH HEIGHT]
set -eu
page=$(realpath "$1")
picture=$2
width=${3:-1400}
height=${4:-1700}
for browser in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$browser" >/dev/null 2>&1; then
        profile=$(mktemp -d)
        trap 'rm -rf "$profile"' EXIT
        "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
            --disable-background-networking --disable-component-update --disable-sync \
            --user-data-dir="$profile" --hide-scrollbars --virtual-time-budget=10000 \
            --window-size="$width,$height" --screenshot="$picture" "file://$page"
        exit 0
    fi
done
echo "no Chromium found" >&2
exit 1
