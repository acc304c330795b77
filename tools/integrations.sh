#!/usr/bin/env bash
# Tests every package that has dependencies of its own: those under examples/, and benches/peers.
# A package with a check.sh of its own is also tested by that: `browser` in Chromium.
# Beside the gate, for candle and burn take minutes to compile. Arguments pick packages by name.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A folders
for manifest in examples/*/Cargo.toml benches/peers/Cargo.toml; do
    folder=$(dirname "$manifest")
    folders[$(basename "$folder")]=$folder
done
mapfile -t names < <(printf '%s\n' "${!folders[@]}" | sort)

for name in "$@"; do
    if [ -z "${folders[$name]+there}" ]; then
        echo "no package \`$name\`; there are: ${names[*]}" >&2
        exit 2
    fi
done
[ $# -eq 0 ] || names=("$@")

# Packages with dependencies in common compile them once.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target/integrations}
failed=()
for name in "${names[@]}"; do
    start=$SECONDS
    echo "==> $name"
    what=(--all-targets)
    # A program for a microcontroller: its library can be tested here.
    if grep -qs '^target' "${folders[$name]}/.cargo/config.toml"; then
        what=(--lib --target "$(rustc -vV | sed -n 's/^host: //p')")
    fi
    # In its folder, for benches/peers has settings there.
    if ! (cd "${folders[$name]}" \
        && cargo fmt --check \
        && cargo clippy --locked --release "${what[@]}" -- -D warnings \
        && cargo test --locked --release "${what[@]}" \
        && { [ ! -x check.sh ] || ./check.sh; }); then
        failed+=("$name")
    fi
    echo "<== $name: $((SECONDS - start)) s"
done

if [ ${#failed[@]} -gt 0 ]; then
    echo "FAILED: ${failed[*]}" >&2
    exit 1
fi
echo "All passed in $SECONDS s: ${names[*]}"
