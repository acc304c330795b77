#!/usr/bin/env bash
# Changes each operation of the formulas in turn, and asks whether a test fails. Needs cargo-mutants 27. Results are in
# target/mutants.
#
#   tools/mutants.sh                           both parts
#   tools/mutants.sh PART [ARGUMENT...]        one, with arguments of cargo mutants: `--shard 1/8` takes an eighth of it
#
# `formulas`, 850 mutants of about two seconds of one core each, has a test that compiles no loop. `loops`, 200 mutants
# of about fifteen seconds, is what only loops call: functions of rows, PReLU, RReLU in training.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_PROFILE_TEST_DEBUG=0 CARGO_PROFILE_DEV_DEBUG=0

# The table H, whose signs have no function's name, is read by log1p_parts.
loops='layers/(prelu|columns)\.rs|kernel/repeated\.rs|functions/slopes\.rs|Rrelu>?::(forward|backward)_training|RowExp|log1p_of_sum|log1p_parts|log1p\.rs:\d+:\d+: delete -$'

# mutants PART ARGUMENT...
mutants() {
    local part=$1 selection tests
    shift
    case $part in
        formulas) selection=--exclude-re tests=(values) ;;
        loops) selection=--re tests=(loops values) ;;
        *)
            echo "unknown part \`$part\`; known: formulas loops" >&2
            exit 2
            ;;
    esac
    mkdir -p target/mutants
    cargo mutants --no-times --output "target/mutants/$part" "$selection" "$loops" \
        "${tests[@]/#/--cargo-arg=--test=}" "$@"
}

if [ $# -gt 0 ]; then
    mutants "$@"
else
    # A mutant that survives is no reason to leave out the second part.
    status=0
    mutants formulas || status=$?
    mutants loops || status=$?
    exit "$status"
fi
