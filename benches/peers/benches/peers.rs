//! Compares each function of this crate with the same function of other libraries: 65,536 elements, one thread.
//!
//! A filter picks a part: `cargo bench -- 'gelu, f32'`. `PEERS_ELEMENTS=1024 cargo bench` takes other slices, of any length; give the
//! program `table` the same variable.

#[path = "../../shared/config.rs"]
mod config;
mod libraries;

use std::any::type_name;
use std::hint::black_box;

use activations::Element;
use config::config;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use libraries::{Library, burn, candle, libm, rten};
use peers::{FUNCTIONS, Forms, Function, OURS, inputs, lower_levels, other_forms, ours};

fn in_f32(c: &mut Criterion) {
    let libraries: [Library<f32>; 4] =
        [("rten-vecmath", rten::f32), ("candle", candle::any), ("burn", burn::any), ("libm", libm::f32)];
    beside(c, |function| other_forms(function.name, function.row_len).unwrap(), &libraries);
}

fn in_f64(c: &mut Criterion) {
    let libraries: [Library<f64>; 3] = [("candle", candle::any), ("burn", burn::any), ("libm", libm::f64)];
    beside(c, |function| lower_levels(function.name, function.row_len).unwrap(), &libraries);
}

fn beside<T: Element>(c: &mut Criterion, forms: fn(Function) -> Forms<T>, libraries: &[Library<T>]) {
    for function in FUNCTIONS {
        let x = inputs::<T>(function.size());
        let mut y = vec![T::zero(); x.len()];
        let ours = ours::<T>(function.name, function.row_len).unwrap();
        ours.forward(&x, &mut y);

        let mut group = c.benchmark_group(function.group(type_name::<T>()));
        group.throughput(Throughput::Elements(x.len() as u64));
        group.bench_function(OURS, |b| b.iter(|| ours.forward(black_box(&x), black_box(&mut y))));
        for (name, form) in forms(function) {
            let what = format!("{function} of {name}");
            check(&what, &x, &y, &form.forward_vec(&x));
            group.bench_function(name, |b| {
                let mut y = vec![T::zero(); x.len()];
                b.iter(|| form.forward(black_box(&x), black_box(&mut y)));
            });
        }
        for (name, call) in libraries {
            if let Some(mut call) = call(function, &x) {
                check(&format!("{function} of {name}"), &x, &y, &call.answer());
                group.bench_function(*name, |b| b.iter(|| call.run()));
            }
        }
        group.finish();
    }
}

/// The tolerance is loose, because this bench measures speed and not accuracy. Only a different function shall fail.
fn check<T: Element>(what: &str, x: &[T], ours: &[T], theirs: &[T]) {
    assert_eq!(ours.len(), theirs.len(), "{what} gives another number of elements");
    // Probabilities of long rows are far below 1, so the tolerance must be, too.
    let greatest = ours.iter().fold(T::zero(), |greatest, y| greatest.max(y.abs())).min(T::one());
    let tolerance = |factor: f64, y: T| T::from(factor).unwrap() * y;
    for ((x, &ours), &theirs) in x.iter().zip(ours).zip(theirs) {
        let near = (ours - theirs).abs() <= tolerance(1e-3, ours.abs()).max(tolerance(1e-4, greatest));
        assert!(near, "{what} is another function: at {x:?} we have {ours:?}, they {theirs:?}");
    }
}

criterion_group! {
    name = benches;
    config = config()
        // Only the median is used, and the default's hundred thousand resamples would take longer than the measurement.
        .nresamples(2_000);
    targets = in_f32, in_f64
}
criterion_main!(benches);
