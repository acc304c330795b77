#!/usr/bin/env bash
# Runs a part of the tests in Miri, which finds undefined behaviour: formulas in both kinds of lane, and the loops of one
# function at the baseline and with AVX2. Needs a nightly Rust with the components miri and rust-src. Takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
export MIRIFLAGS="-Zmiri-disable-isolation ${MIRIFLAGS:-}"
echo "--- formulas"
cargo +nightly miri test --test values -- cards
