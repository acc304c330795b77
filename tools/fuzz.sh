#!/usr/bin/env bash
# Fuzzes each target for so many seconds, 60 if none are given: `tools/fuzz.sh [SECONDS]`. Needs a nightly Rust and cargo-fuzz.
# Inputs that reached something new stay in fuzz/corpus; one that fails is in fuzz/artifacts, and the message says how to
# run it again. `TARGETS="rows names"` picks targets.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
cargo +nightly fuzz build
for target in ${TARGETS:-elementwise rows layers names accuracy}; do
    echo "--- $target, $seconds s"
    mkdir -p "fuzz/corpus/$target"
    TARGET=$target cargo +nightly fuzz run activations "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -max_len=4096 -len_control=0 -timeout=60 -dict=fuzz/names.dict -print_final_stats=1
done
