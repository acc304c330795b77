#!/usr/bin/env bash
# Runs the loops of a few functions in Miri, at each level of x86-64 (Miri takes its CPU from the compilation), and threads
# at the last. Needs a nightly Rust with the components miri and rust-src. Takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
export MIRIFLAGS=-Zmiri-disable-isolation
# The baseline, AVX2, AVX-512.
for cpu in x86-64 x86-64-v3 icelake-server; do
    echo "--- $cpu"
    RUSTFLAGS="-C target-cpu=$cpu" cargo +nightly miri test --test memory "$@"
done
# The queue below rayon makes pointers of integers, breaks stacked borrows and keeps what it has when the program ends.
MIRIFLAGS+=" -Zmiri-tree-borrows -Zmiri-permissive-provenance -Zmiri-ignore-leaks"
echo "--- $cpu, threads"
RUSTFLAGS="-C target-cpu=$cpu" cargo +nightly miri test --test memory --features rayon threads
