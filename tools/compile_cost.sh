#!/usr/bin/env bash
# What the crate costs those who use it: CPU seconds of a cold build and of a rebuild of the user's crate, the size of the
# program, and how much slower built-in functions are in a debug build with the two lines that the README gives. Makes small
# programs in a temporary folder, which depend on the crate as it is here through a git repository, because Cargo compiles such
# dependencies as it does published ones. Takes five minutes on two cores; measure on an idle machine.
#
#   tools/compile_cost.sh          all programs
#   tools/compile_cost.sh NAME...  these: gelu gelu-generic any any-all size debug
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset CARGO_TARGET_DIR CARGO_INCREMENTAL RUSTFLAGS CARGO_ENCODED_RUSTFLAGS

# The files that git knows, as they are.
mkdir "$scratch/activations"
git -C "$root" ls-files -z | (cd "$root" && tar --null --ignore-failed-read -cf - -T - 2>/dev/null) \
    | tar -xf - -C "$scratch/activations"
cd "$scratch/activations"
git init --quiet
git add --all
git -c user.name=cost -c user.email=cost@localhost commit --quiet --message cost

# program NAME OPTIONS: a package that depends on the crate with the options; its main.rs is read from standard input.
program() {
    mkdir -p "$scratch/$1/src"
    cat > "$scratch/$1/src/main.rs"
    cat > "$scratch/$1/Cargo.toml" <<MANIFEST
[package]
name = "program"
version = "0.0.0"
edition = "2024"

[dependencies]
activations = { git = "file://$scratch/activations"$2 }

[profile.dev.package.activations]
opt-level = 3

[workspace]
MANIFEST
    # The versions that are tested, which are there already.
    cp "$root/Cargo.lock" "$scratch/$1/Cargo.lock"
    (cd "$scratch/$1" && cargo fetch --quiet)
}

# seconds COMMAND...: CPU seconds of the command, and its output if it fails.
seconds() {
    local TIMEFORMAT='%U'
    { time "$@" > "$scratch/log" 2>&1; } 2>&1 || { cat "$scratch/log" >&2; return 1; }
}

# measure NAME WHAT: cold build and rebuild, as a row of the table.
measure() {
    local cold again
    cd "$scratch/$1"
    cold=$(seconds cargo build --release)
    touch src/main.rs
    again=$(seconds cargo build --release)
    printf '| %s | %.1f | %.2f | %s |\n' "$2" "$cold" "$again" "$(size)"
}

# The stripped program, in MB.
size() {
    strip -o "$scratch/stripped" target/release/program
    echo "$(stat -c %s "$scratch/stripped")" | awk '{ printf "%.2f MB", $1 / 1e6 }'
}

gelu='use activations::{Activation, Gelu};

fn main() {
    let x: Vec<f32> = (0..1024).map(|i| i as f32 / 128.0 - 4.0).collect();
    let mut y = vec![0.0_f32; 1024];
    let mut best = f64::INFINITY;
    for _ in 0..200 {
        let start = std::time::Instant::now();
        for _ in 0..20 {
            Gelu.forward(std::hint::black_box(&x), std::hint::black_box(&mut y));
        }
        best = best.min(start.elapsed().as_secs_f64() / 20.0 / 1024.0 * 1e9);
    }
    println!("{best:.3}");
}'

# Prints the time of each function, in ns an element: of all activations by their names, of rows, a gate and a loss.
functions='use std::{hint::black_box, time::Instant};

use activations::{Activation, AnyActivation, CrossEntropy, Gate, LogSoftmax, Softmax, SwiGlu};

/// Prints the least time of a call that computes so many elements, in ns an element.
fn measure(name: &str, elements: usize, mut call: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..1000 {
        let start = Instant::now();
        call();
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{name} {:.4}", best / elements as f64 * 1e9);
}

fn main() {
    let x: Vec<f32> = (0..64_000).map(|i| (i * 37 % 1024) as f32 / 128.0 - 4.0).collect();
    let (x, mut y) = (black_box(&x[..]), vec![0.0_f32; 64_000]);
    for name in AnyActivation::all().map(|f| f.card().name) {
        let f: AnyActivation = name.parse().expect("a name");
        measure(name, 8000, || f.forward(&x[..8000], black_box(&mut y[..8000])));
    }
    for len in [64, 1000] {
        let (softmax, log_softmax) = (Softmax::rows(len).expect("a length"), LogSoftmax::rows(len).expect("a length"));
        let loss = CrossEntropy::new(len).expect("classes");
        let classes = vec![7_usize; 64_000 / len];
        measure(&format!("softmax:{len}"), 64_000, || softmax.forward(x, black_box(&mut y)));
        measure(&format!("log_softmax:{len}"), 64_000, || log_softmax.forward(x, black_box(&mut y)));
        measure(&format!("cross_entropy:{len}"), 64_000, || {
            black_box(loss.loss_and_gradient(x, &classes, black_box(&mut y)));
        });
    }
    measure("swiglu", 4000, || SwiGlu.forward(&x[..4000], &x[4000..8000], black_box(&mut y[..4000])));
}'

# least FILE: the least time of each function.
least() {
    awk '!($1 in best) || $2 < best[$1] { best[$1] = $2 } END { for (name in best) print name, best[name] }' "$1" | sort
}

# everything TYPES: all passes of all activations, softmax, gates and losses, for the element types.
everything() {
    cat <<'MAIN'
use activations::{
    Activation, AnyActivation, BinaryCrossEntropy, CrossEntropy, Element, Gate, GeGlu, Glu, ReGlu, Softmax, SwiGlu,
};

fn passes<T: Element>(f: &dyn Activation<T>, one: T) {
    let (x, mut y, mut dydx) = ([one; 64], [one; 64], [one; 64]);
    f.forward(&x, &mut y);
    f.forward_in_place(&mut y);
    f.derivative(&x, &mut dydx);
    f.forward_with_derivative(&x, &mut y, &mut dydx);
    f.backward(&x, &dydx, &mut y);
    println!("{y:?}");
}

fn gate<T: Element>(gate: &dyn Gate<T>, one: T) {
    let (x, mut y, mut grad) = ([one; 64], [one; 64], [one; 64]);
    gate.forward(&x, &x, &mut y);
    gate.backward(&x, &x, &x, &mut y, &mut grad);
    println!("{y:?} {grad:?}");
}

fn all<T: Element>(name: &str, one: T) {
    passes(&name.parse::<AnyActivation>().expect("a name"), one);
    passes(&Softmax::rows(8).expect("a length"), one);
    for named in [&SwiGlu as &dyn Gate<T>, &GeGlu, &ReGlu, &Glu] {
        gate(named, one);
    }
}

macro_rules! losses {
    ($($float:ty)*) => {$(
        let (x, mut grad) = ([1.0 as $float; 64], [0.0 as $float; 64]);
        println!("{}", CrossEntropy::new(8).expect("classes").loss_and_gradient(&x, &[0_usize; 8], &mut grad));
        println!("{}", BinaryCrossEntropy::new().loss_and_gradient(&x, &x, &mut grad));
    )*};
}

fn main() {
    let name = std::env::args().nth(1).unwrap_or_else(|| "gelu".into());
MAIN
    local type
    for type in "$@"; do
        echo "    all(&name, <$type as num_traits::One>::one());"
    done
    echo "    losses!(f32 f64);"
    echo "}"
}

any='use activations::{Activation, AnyActivation};

fn main() {
    let f: AnyActivation = std::env::args().nth(1).expect("a name").parse().expect("an activation");
    let (x, mut y, mut dydx) = ([1.0_f32; 64], [0.0; 64], [0.0; 64]);
    f.forward(&x, &mut y);
    f.forward_with_derivative(&x, &mut y, &mut dydx);
    f.backward(&x, &y, &mut dydx);
    println!("{y:?} {dydx:?}");
}'

heading() {
    echo
    echo "| program | cold build, CPU s | rebuild, CPU s | stripped |"
    echo "|---|--:|--:|--:|"
}

heading
for name in "${@:-all}"; do
    case $name in all | gelu)
        program gelu "" <<< "$gelu"
        measure gelu "\`Gelu\`, f32, default features" ;;
    esac
    case $name in all | gelu-generic)
        program gelu-generic ', default-features = false, features = ["std"]' <<< "$gelu"
        measure gelu-generic "\`Gelu\`, f32, without the feature \`compiled\`" ;;
    esac
    case $name in all | any)
        everything f32 f64 > "$scratch/main.rs"
        program any ', features = ["compiled-f64"]' < "$scratch/main.rs"
        (cd "$scratch/any" && cargo add --quiet num-traits)
        measure any "\`AnyActivation\`, softmax, gates, losses, f32 and f64" ;;
    esac
    case $name in all | any-all)
        everything f32 f64 half::f16 half::bf16 > "$scratch/main.rs"
        program any-all ', features = ["compiled-f64", "half", "rayon", "serde"]' < "$scratch/main.rs"
        (cd "$scratch/any-all" && cargo add --quiet num-traits half)
        measure any-all "the same, all features, four element types" ;;
    esac
    case $name in all | size)
        program size "" <<< "$any"
        measure size "\`AnyActivation\`, f32" ;;
    esac
    case $name in all | debug)
        program debug "" <<< "$functions"
        cd "$scratch/debug"
        cargo build --quiet --release
        cargo build --quiet
        # In turns, because other programs disturb both.
        for _ in 1 2 3 4 5; do
            target/release/program >> release
            target/debug/program >> debug
        done
        echo
        echo "| function | release, ns an element | debug | ratio |"
        echo "|---|--:|--:|--:|"
        join <(least release) <(least debug) | awk '
            { ratio = $3 / $2 }
            ratio > most { most = ratio; name = $1 }
            ratio > 1.1 { printf "| %s | %.3f | %.3f | %.2f |\n", $1, $2, $3, ratio }
            END { printf "\nThe others of %d functions take at most 1.1 times as long; the most: %.2f, %s\n", NR, most, name }' ;;
    esac
done
