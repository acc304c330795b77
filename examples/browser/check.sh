#!/usr/bin/env bash
# Tests the page in a real browser: check.mjs. Node and Chromium are installed if they are missing. Arguments go to check.mjs.
set -euo pipefail
cd "$(dirname "$0")"

has() {
    command -v "$1" >/dev/null 2>&1
}

missing=()
has node || missing+=(nodejs)
has chromium || has chromium-browser || has google-chrome || [ -n "${CHROMIUM:-}" ] || missing+=(chromium)
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" fonts-dejavu-core
fi
node check.mjs "$@"
