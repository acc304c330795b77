#!/usr/bin/env bash
# Changes each operation of the formulas in turn, and asks whether a test fails: `tools/mutants.sh [ARGUMENTS OF cargo mutants]`.
# Needs cargo-mutants 27. A thousand mutants, about two seconds of one core each. `--shard 1/8` takes an eighth of them.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_PROFILE_TEST_DEBUG=0 CARGO_PROFILE_DEV_DEBUG=0
exec cargo mutants --no-times "$@"
