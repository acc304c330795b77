#!/usr/bin/env bash
# Writes what follows from the formula of an activation: tables, pictures, digests, errors, the documentation's lists, the public
# interface.
#
#   tools/update.sh NAME --beside SIBLING   a new function, which lists name behind the other one
#   tools/update.sh NAME...                 functions whose formulas have changed
#
# Names are those on cards. References and prose nobody can write for you: see CONTRIBUTING.md. Needs python3, nothing else of it.
set -euo pipefail
cd "$(dirname "$0")/.."

names=()
beside=
while [ $# -gt 0 ]; do
    if [ "$1" = --beside ]; then
        beside=${2:?"--beside needs the name of another function"}
        shift
    else
        names+=("$1")
    fi
    shift
done
if [ ${#names[@]} -eq 0 ]; then
    echo "usage: tools/update.sh NAME --beside SIBLING, or tools/update.sh NAME..." >&2
    exit 2
fi
# One folder, so that what is the same for two programs is compiled once.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
# Backtraces are of no use here, and a third of the time.
export CARGO_PROFILE_DEV_DEBUG=0
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

step() {
    local what=$1 start=$SECONDS
    shift
    echo "==> $what"
    "$@"
    echo "<== $what: $((SECONDS - start)) s"
}

# Without the loops that the crate compiles for its users, what is needed here is compiled in a third of the time. The bits are the
# same, and so few functions are computed in a debug build too.
quick=(--no-default-features --features std,half)

# The tables of exact results, which other steps read. Those that are there are computed again and compared.
tables() {
    cargo run --release --no-default-features --manifest-path examples/exact/Cargo.toml --bin tables -- "${names[@]}"
}

# Fails beyond the card's bounds, and says where. The same program writes the digests of other parameters.
errors() {
    ONLY=$(IFS=,; echo "${names[*]}") UPDATE_DIGESTS=1 \
        cargo test "${quick[@]}" --test values -- --nocapture errors_in other_bits | tee "$errors"
}

lists() {
    local name
    for name in "${names[@]}"; do
        python3 tools/rows.py "$name" "${beside:-$name}" "$errors"
    done
}

pictures() {
    cargo run --manifest-path examples/gallery/Cargo.toml -- functions
}

browser() {
    [ -d examples/browser ] || return 0
    cargo run --manifest-path examples/browser/Cargo.toml -- digests "${names[@]}"
}

step "tables" tables
step "errors, and digests of other parameters" errors
step "lists" lists
step "pictures" pictures
step "digests" tools/bits.sh --write "${names[@]}"
step "digests for the browser" browser
step "the public interface" tools/audit.sh --write

echo
echo "Changed:"
git status --short
echo "Written in $SECONDS s. Now look at the differences: only lines of ${names[*]} may have changed. The errors above are for the card"
echo "and the documentation. A stride finds them but for the last digit. Then add a line to CHANGELOG.md and run .ci/run."
