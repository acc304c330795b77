#!/usr/bin/env bash
# The README as a stranger follows it: makes a package by the commands under Install, copies each Rust block into a program of it,
# as it stands, and runs that in a debug build. If a `text` block follows a Rust block, the program must print just that.
# Then adds the lines for debug builds to the package's Cargo.toml, and checks that they are understood.
#
#   tools/readme.sh                README.md, docs/first_model.md and docs/your_function.md
#   tools/readme.sh PAGE...        these
set -euo pipefail
export CARGO_TERM_COLOR=never
root=$(cd "$(dirname "$0")/.." && pwd)
target_dir=${CARGO_TARGET_DIR:-$root/target}/readme
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
[ $# -gt 0 ] || set -- README.md docs/first_model.md docs/your_function.md

# blocks PAGE FOLDER: writes each fenced block into the folder, numbered: 3.rust, 4.text.
blocks() {
    mkdir -p "$2"
    awk -v folder="$2" '
        /^```/ {
            if (file) { close(file); file = "" }
            else { sub(/^```/, ""); sub(/,.*/, ""); file = sprintf("%s/%d.%s", folder, ++count, $0); printf "" > file }
            next
        }
        file { print > file }' "$1"
}

# The folder of the repository is named `activations` for the commands of the README.
ln -s "$root" "$scratch/activations"
blocks "$root/README.md" "$scratch/README"
install=$(grep -l 'cargo add' "$scratch"/README/*.sh)
(cd "$scratch" && bash -euo pipefail "$install")
cd "$scratch/first"
# The versions that are tested.
cp "$root/Cargo.lock" .
rm src/main.rs
mkdir src/bin

for page in "$@"; do
    name=$(basename "$page" .md)
    blocks "$root/$page" "$scratch/$name"
    for block in "$scratch/$name"/*.rust; do
        cp "$block" "src/bin/${name}_$(basename "$block" .rust).rs"
    done
done
failed=0
cargo build --bins --target-dir "$target_dir" 2>&1 | tee "$scratch/log"
if grep -q '^warning' "$scratch/log"; then
    echo "FAILED: a block gives a warning" >&2
    failed=1
fi
for source in src/bin/*.rs; do
    program=$(basename "$source" .rs)
    number=${program##*_}
    expected=$scratch/${program%_*}/$((number + 1)).text
    echo "--- block $number of ${program%_*}"
    if ! "$target_dir/debug/$program" >"$scratch/printed"; then
        echo "FAILED: it does not end well" >&2
        failed=1
    elif [ -e "$expected" ] && ! diff -u --label "the page" "$expected" --label "the program" "$scratch/printed"; then
        echo "FAILED: it prints something else" >&2
        failed=1
    fi
done

cat "$(grep -l 'opt-level' "$scratch"/README/*.toml)" >>Cargo.toml
if ! cargo check --target-dir "$target_dir" 2>"$scratch/log" || grep -q '^warning' "$scratch/log"; then
    cat "$scratch/log"
    echo "FAILED: the lines for debug builds" >&2
    failed=1
fi
exit "$failed"
