#!/usr/bin/env bash
# The supply chain and the public face: licences, advisories and duplicates of dependencies, every set of features, the
# least versions that Cargo.toml allows, whether the public interface is the one in tests/public-api.txt, and whether the package
# that would be published builds, tests and benches by itself.
# Tools that are missing are installed by cargo, which takes minutes. What cannot be checked is SKIPPED.
#
#   tools/audit.sh                 all steps
#   tools/audit.sh STEP...         these: dependencies advisories features versions interface semver package
#   tools/audit.sh --write         writes tests/public-api.txt anew
set -uo pipefail
cd "$(dirname "$0")/.."

all=(dependencies advisories features versions interface semver package)
table=()
failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

skip() {
    echo "!!! SKIPPED: $1" >&2
    skipped=$1
}

# tool NAME: the subcommand of cargo is there, or can be had.
tool() {
    cargo "$1" --version >/dev/null 2>&1 || cargo "$1" --help >/dev/null 2>&1 || cargo install --locked "cargo-$1" \
        || { skip "cargo-$1 is missing and cannot be installed"; return 1; }
}

nightly() {
    rustup run nightly rustc --version >/dev/null 2>&1 || rustup toolchain install nightly --profile minimal \
        || { skip "the nightly toolchain cannot be installed"; return 1; }
}

# Licences, sources, duplicates.
dependencies() {
    tool deny || return 0
    cargo deny check licenses bans sources
}

advisories() {
    tool deny || return 0
    cargo deny fetch db || { skip "the database of advisories cannot be had"; return 0; }
    cargo deny check --disable-fetch advisories
}

# Every set of features that can be compiled: without `std` there must be `libm`.
features() {
    tool hack || return 0
    cargo hack check --lib --feature-powerset --no-dev-deps --at-least-one-of std,rayon,libm --skip default
}

# The least versions that Cargo.toml allows, of which some other package may hold a program to.
versions() {
    nightly || return 0
    cp -r Cargo.toml src benches examples README.md "$scratch" && mkdir "$scratch/tests" || return 1
    (
        cd "$scratch" && cargo +nightly -Z direct-minimal-versions update --quiet \
            && cargo check --lib --all-features --target-dir "$target_dir/audit"
    )
}

interface() {
    tool public-api && nightly || return 0
    cargo +nightly public-api -sss --all-features --target-dir "$target_dir/audit" >"$scratch/interface" || return 1
    if [ "$write" = yes ]; then
        cp "$scratch/interface" tests/public-api.txt
    elif ! diff -u tests/public-api.txt "$scratch/interface"; then
        echo "The public interface differs. If that is meant, list it in CHANGELOG.md and run tools/audit.sh --write."
        return 1
    fi
}

# Nothing is broken since the last release, if there is one.
semver() {
    local release
    release=$(git describe --tags --abbrev=0 2>/dev/null) || { skip "there is no release to compare with"; return 0; }
    tool semver-checks || return 0
    cargo semver-checks --all-features --baseline-rev "$release"
}

# The package as it would be published, unpacked elsewhere. It takes minutes.
package() {
    local name
    name=activations-$(sed -n '0,/^version = /s/^version = "\(.*\)"$/\1/p' Cargo.toml)
    cargo package --allow-dirty --no-verify --target-dir "$target_dir" \
        && tar -xzf "$target_dir/package/$name.crate" -C "$scratch" || return 1
    (
        cd "$scratch/$name" && cargo test --release --all-features --target-dir "$target_dir/audit" \
            && cargo bench --no-run --all-features --target-dir "$target_dir/audit"
    )
}

target_dir=${CARGO_TARGET_DIR:-$PWD/target}
write=no
if [ "${1:-}" = --write ]; then
    write=yes
    set -- interface
fi
[ $# -gt 0 ] || set -- "${all[@]}"
for name in "$@"; do
    case " ${all[*]} " in
        *" $name "*) ;;
        *)
            echo "unknown step \`$name\`; known: ${all[*]}" >&2
            exit 2
            ;;
    esac
    echo "==> $name"
    start=$SECONDS skipped=""
    if ! "$name"; then
        table+=("$name: FAILED")
        failed=1
    elif [ -n "$skipped" ]; then
        table+=("$name: SKIPPED, $skipped")
    else
        table+=("$name: passed in $((SECONDS - start)) s")
    fi
done

echo
printf '%s\n' "${table[@]}"
exit "$failed"
