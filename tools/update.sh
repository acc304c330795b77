#!/usr/bin/env bash
# Writes what follows from the formula of an activation: tables, pictures, digests, the public interface. NAME is its name on its
# card; more than one may be given. What nobody can write for you, references and prose, stands in CONTRIBUTING.md.
# Needs python3 with mpmath for the tables; without it they are left as they are, and that is said.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -eq 0 ]; then
    echo "usage: tools/update.sh NAME..." >&2
    exit 2
fi
skipped=()

step() {
    local what=$1 start=$SECONDS
    shift
    echo "==> $what"
    "$@"
    echo "<== $what: $((SECONDS - start)) s"
}

# The tables of exact results, which other steps read.
tables() {
    if ! python3 -c 'import mpmath' 2>/dev/null; then
        skipped+=("tests/tables: python3 -m pip install mpmath, and run this again")
        return
    fi
    local name
    for name in "$@"; do
        if grep -q "\"$name\":" tools/tables.py; then
            python3 tools/tables.py "$name"
        else
            echo "tools/tables.py has no $name: its results are rounded once, or it is one of rows"
        fi
    done
    python3 tools/second.py
}

values() {
    UPDATE_DIGESTS=1 cargo test --release --all-features --test values
}

browser() {
    [ -d examples/browser ] || return 0
    cargo run --release --manifest-path examples/browser/Cargo.toml -- digests
}

step "tables" tables "$@"
step "pictures" cargo run --release --manifest-path examples/gallery/Cargo.toml
step "digests" tools/bits.sh --write "$@"
step "digests of other parameters" values
step "digests for the browser" browser
step "the public interface" tools/audit.sh --write
# For the card, the documentation and docs/accuracy.md: a stride finds the errors but for the last digit.
step "errors" cargo run --release --example accuracy -- "$@"

echo
echo "Changed:"
git status --short
for what in "${skipped[@]}"; do
    echo "SKIPPED: $what"
done
echo "Written in $SECONDS s. Now look at the differences: only lines of $* may have changed. Then add the row in docs/functions.md,"
echo "the names in README.md and docs/guide/coming_from.md, and run .ci/run."
