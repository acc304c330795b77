#!/usr/bin/env bash
# The same bits everywhere: compiles `tools/bits` for many builds and CPUs, runs each, and compares with the digests that
# are committed. Ends with a table, and fails if any bit differs. What this machine cannot run is SKIPPED.
#
#   tools/bits.sh                  all builds
#   tools/bits.sh NAME...          these
#   tools/bits.sh --write          writes the digests anew, on a machine with both kinds; with NAME... those of functions
#
# BITS_FLAGS=--no-default-features leaves f16 and bf16 out, in half the time.
set -uo pipefail
cd "$(dirname "$0")/.."

all=(x86-64 debug native x86-64-v3 x86-64-v4 i686 aarch64 wasm simd128)
table=()
failed=0

has() {
    command -v "$1" >/dev/null 2>&1
}

row() {
    table+=("$(printf '%-13s %-14s %s' "$@")")
}

skip() {
    echo "!!! SKIPPED: $1: $2" >&2
    row "$1" "" "SKIPPED: $2"
}

# check NAME ARGUMENT...: builds and runs with these arguments of cargo. Flags and the runner come by the environment.
check() {
    local name=$1 start=$SECONDS built output
    shift
    echo "==> $name"
    # Each set of flags has its own folder, or the next one would compile everything again.
    # shellcheck disable=SC2206 # words
    local cargo=(--quiet --manifest-path tools/bits/Cargo.toml --target-dir "$target_dir/bits/$name" "$@" ${BITS_FLAGS:-})
    if ! cargo build "${cargo[@]}"; then
        row "$name" "" "FAILED to compile"
        failed=1
        return
    fi
    built=$((SECONDS - start))
    if ! output=$(cargo run "${cargo[@]}" 2>&1); then
        echo "$output"
        row "$name" "" "DIFFERENT: see above"
        failed=1
        return
    fi
    echo "$output"
    local kind types count
    for kind in fused plain exact; do
        types=$(awk -v kind="$kind:" '$2 == kind && /equal/ { printf "%s ", $1 }' <<<"$output")
        count=$(awk -v kind="$kind:" '$2 == kind && /equal/ { sum += $3 } END { print sum }' <<<"$output")
        [ -z "$types" ] || row "$name" "$kind" "equal: $count digests of $types(built in $built s, ran in $((SECONDS - start - built)) s)"
    done
    echo "    $(head -n 1 <<<"$output"): $((SECONDS - start)) s"
}

# The standard library of the target is there, or can be had.
target() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ] || rustup target add "$1" >/dev/null 2>&1
}

cpu_has() {
    local feature
    for feature in "$@"; do
        grep -qsw "$feature" /proc/cpuinfo || return 1
    done
}

# x86 NAME FEATURE...: a build that promises the CPU of that name, which has these features.
x86() {
    local cpu=$1
    shift
    if [ "$(uname -m)" != x86_64 ] || ! cpu_has "$@"; then
        skip "$cpu" "this CPU has not all of $*"
    else
        RUSTFLAGS="-C target-cpu=$cpu" check "$cpu" --release --features rayon
    fi
}

wasm() {
    if ! has node || ! target wasm32-wasip1; then
        skip "$1" "node is missing, or target wasm32-wasip1 cannot be installed"
    else
        CARGO_TARGET_WASM32_WASIP1_RUNNER="node --no-warnings $PWD/tools/wasi.mjs" \
            RUSTFLAGS="$2" check "$1" --release --target wasm32-wasip1
    fi
}

run() {
    case $1 in
        x86-64)
            # What the machine is, if it is none.
            check "$(uname -m | tr _ -)" --release --features rayon
            ;;
        debug)
            check debug --features rayon
            ;;
        native)
            RUSTFLAGS="-C target-cpu=native" check native --release --features rayon
            ;;
        x86-64-v3)
            x86 x86-64-v3 avx2 fma bmi1 bmi2 f16c movbe
            ;;
        x86-64-v4)
            x86 x86-64-v4 avx512f avx512bw avx512cd avx512dq avx512vl
            ;;
        i686)
            # The target of musl, with the linker of Rust, needs no 32-bit system.
            if [ "$(uname -m)" != x86_64 ] || ! target i686-unknown-linux-musl; then
                skip i686 "not an x86-64, or target i686-unknown-linux-musl cannot be installed"
            else
                CARGO_TARGET_I686_UNKNOWN_LINUX_MUSL_LINKER=rust-lld \
                    check i686 --release --features rayon --target i686-unknown-linux-musl
            fi
            ;;
        aarch64)
            if [ "$(uname -m)" = aarch64 ]; then
                skip aarch64 "it is this machine, which the first row is about"
            elif ! has qemu-aarch64 || ! has aarch64-linux-gnu-gcc || ! target aarch64-unknown-linux-gnu; then
                skip aarch64 "qemu-user and gcc-aarch64-linux-gnu are needed, and target aarch64-unknown-linux-gnu"
            else
                CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
                    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu" \
                    check aarch64 --release --features rayon --target aarch64-unknown-linux-gnu
            fi
            ;;
        wasm)
            wasm wasm ""
            ;;
        simd128)
            wasm simd128 "-C target-feature=+simd128"
            ;;
        *)
            echo "unknown build \`$1\`; known: ${all[*]}" >&2
            exit 2
            ;;
    esac
}

target_dir=${CARGO_TARGET_DIR:-$PWD/target}
if [ "${1:-}" = --write ]; then
    shift
    profile=--release
    if [ $# -gt 0 ]; then
        # A few functions do not need what takes minutes to compile: the bits are the same.
        profile=--profile=dev
        ONLY=$(IFS=,; echo "$*")
        export ONLY
    fi
    exec cargo run --quiet "$profile" --manifest-path tools/bits/Cargo.toml --target-dir "$target_dir/bits/write" -- \
        tests/tables/digests.csv
fi
[ $# -gt 0 ] || set -- "${all[@]}"
for name in "$@"; do
    run "$name"
done

echo
printf '%s\n' "${table[@]}"
echo "in $SECONDS s"
exit "$failed"
