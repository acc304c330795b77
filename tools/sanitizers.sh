#!/usr/bin/env bash
# Runs a few functions' loops on several threads with the thread sanitizer; the address sanitizer runs along with fuzzing.
# Needs a nightly Rust with the component rust-src: the standard library is compiled along.
set -euo pipefail
cd "$(dirname "$0")/.."
RUSTFLAGS="-Z sanitizer=thread" cargo +nightly test -Z build-std --target "$(rustc -vV | sed -n 's/^host: //p')" \
    --features rayon --test memory "$@"
