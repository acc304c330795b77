#!/usr/bin/env bash
# The tests under the sanitizers of LLVM, on x86-64 Linux: memory read or written out of bounds, data races. Needs a nightly
# Rust with the component rust-src, for the standard library is compiled with them too. Takes minutes.
#
#   tools/sanitizers.sh            both
#   tools/sanitizers.sh NAME...    address, thread
set -euo pipefail
cd "$(dirname "$0")/.."
triple=x86_64-unknown-linux-gnu

run() {
    local name=$1
    shift
    echo "--- $name"
    RUSTFLAGS="-Zsanitizer=$name" cargo +nightly test -Zbuild-std --target "$triple" \
        --target-dir "${CARGO_TARGET_DIR:-target}/sanitizers/$name" "$@"
}

if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "!!! SKIPPED: the sanitizers are run on x86-64 Linux"
    exit
fi
[ $# -gt 0 ] || set -- address thread
for name in "$@"; do
    case $name in
        address) run address --features half,rayon,serde --test values --test loops --test memory ;;
        thread) run thread --features rayon --test memory ;;
        *)
            echo "unknown sanitizer \`$name\`; known: address thread" >&2
            exit 2
            ;;
    esac
done
