//! Attention and mixtures of experts: sinks, causal masks, routers.

use activations::{Level, LogSoftmax, SinkGradient, Softmax, Softmin, TopKSoftmax};

use crate::activations_cells::{Passes, names};
use crate::big::Big;
use crate::cases::{Bits, Case};
use crate::judge::{Expected, Judge};
use crate::number::{Number, big, for_each_type, stale};
use crate::row_reference::Row;
use crate::rows::{BOUND, Gradient, Kind, Shape};

/// A row of a block sees its elements up to its own number in the block plus this many.
const OFFSET: usize = 2;

fn queries(shape: Shape) -> usize {
    if shape.inner > 1 { shape.inner } else { 2 - shape.outer % 2 }
}

fn function<'a, T: Number>(
    kind: Kind,
    shape: Shape,
    sinks: &'a [T],
    level: Option<Level>,
) -> Box<dyn SinkGradient<T> + 'a> {
    macro_rules! of {
        ($function:ident) => {{
            let rows =
                if shape.inner == 1 { $function::rows(shape.len) } else { $function::axis(shape.len, shape.inner) };
            let scores = rows.expect("a length").sink(sinks).expect("a sink for each row");
            let scores = scores.causal(queries(shape), OFFSET as isize).expect("whole blocks of queries");
            match level {
                Some(level) => Box::new(level.with(scores)),
                None => Box::new(scores),
            }
        }};
    }
    match kind {
        Kind::Softmax => of!(Softmax),
        Kind::LogSoftmax => of!(LogSoftmax),
        Kind::Softmin => of!(Softmin),
    }
}

/// The expected results, and the gradients of the sinks.
fn expected<'a, T: Number>(
    kind: Kind,
    shape: Shape,
    x: &'a [T],
    grad_y: &'a [T],
    sinks: &[T],
) -> (Passes<'a, T>, Vec<Expected>) {
    let nothing = vec![Expected::of(Big::ZERO, 0.0); x.len()];
    let (mut values, mut slopes, mut grads, mut of_sinks) = (nothing.clone(), nothing.clone(), nothing, Vec::new());
    let sign = if kind == Kind::Softmin { -Big::ONE } else { Big::ONE };
    for (number, places) in shape.rows().into_iter().enumerate() {
        let seen = |column: usize| column <= number % queries(shape) + OFFSET;
        let score = |(j, &i): (usize, &usize)| if seen(j) { sign * x[i].big() } else { Big::of(f64::NEG_INFINITY) };
        let scores: Vec<Big> = places.iter().enumerate().map(score).chain([sinks[number].big()]).collect();
        let g: Vec<Big> = places.iter().map(|&i| grad_y[i].big()).chain([Big::ZERO]).collect();
        let row = Row::exact(&scores);
        let gradient = Gradient::of::<T>(kind, &row, &g);
        for (j, &i) in places.iter().enumerate() {
            let ((lo, hi), slope) = match kind {
                Kind::LogSoftmax => (row.log[j], row.rest[j]),
                _ => (row.p[j], row.diagonal(j)),
            };
            values[i] = Expected::between(lo, hi, BOUND);
            if seen(j) {
                let slope = Expected::between(slope.0, slope.1, BOUND);
                slopes[i] = if sign == Big::ONE { slope } else { slope.signed(sign) };
                let (grad, noise) = gradient.at(j);
                grads[i] = Expected::of(grad, 1.0).within(noise).times::<T>(sign);
            }
        }
        let (grad, noise) = gradient.at(places.len());
        of_sinks.push(Expected::of(grad, 1.0).within(noise));
    }
    (Passes { x, grad_y, values, slopes, grads }, of_sinks)
}

fn sinks<T: Number>(judge: &mut Judge) {
    for (case, kind) in Case::ALL.into_iter().flat_map(|case| Kind::ALL.map(|kind| (case, kind))) {
        let mut bits = Bits(27);
        for shape in Shape::of(case) {
            let x = bits.inputs::<T>(case, shape.size());
            let grad_y = bits.numbers::<T>(x.len(), 3.0);
            let sinks = bits.numbers::<T>(shape.outer * shape.inner, 6.0);
            let (passes, of_sinks) = expected(kind, shape, &x, &grad_y, &sinks);
            for level in Level::available().map(Some).chain([None]) {
                let f = function(kind, shape, &sinks, level);
                let place = format!("{shape:?} at {}", level.map_or("best", Level::name));
                for name in [format!("{}::sink", kind.name()), "Scores::sink".to_owned()] {
                    let mut check = |expected: &[Expected], got: &[T]| {
                        judge.slice((&name, kind.name(), case), &place, &x, expected, got);
                    };
                    check(&passes.values, &f.forward_vec(&x));
                    check(&passes.slopes, &f.derivative_vec(&x));
                    check(&passes.grads, &f.backward_vec(&x, &grad_y));
                }
                let mut check = |methods: [&str; 2], run: &dyn Fn(&mut [T], &mut [T])| {
                    let (mut grad_x, mut grad_sinks) = (stale::<T>(x.len()), stale::<T>(sinks.len()));
                    run(&mut grad_x, &mut grad_sinks);
                    for name in methods {
                        judge.slice((name, kind.name(), case), &place, &x, &passes.grads, &grad_x);
                        judge.slice((name, kind.name(), case), &place, &sinks, &of_sinks, &grad_sinks);
                    }
                };
                let (owner, other) = if level.is_some() {
                    ("At::backward_with_sink", "At::run_with_sink")
                } else {
                    ("Scores::backward_with_sink", "Scores::run_with_sink")
                };
                check([owner, "SinkGradient::backward_with_sink"], &|grad_x, grad_sinks| {
                    f.backward_with_sink(&x, &grad_y, grad_x, grad_sinks);
                });
                check([other, "SinkGradient::run_with_sink"], &|grad_x, grad_sinks| {
                    f.run_with_sink(level.unwrap_or_else(Level::best), &x, &grad_y, grad_x, grad_sinks);
                });
            }
        }
    }
}

/// The places of the k greatest. NaN comes before all numbers, and equal numbers are in the order of their places.
fn greatest<T: Number>(x: &[T], k: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..x.len()).collect();
    let key = |i: usize| if x[i].is_nan() { (0, 0.0) } else { (1, -x[i].wide()) };
    places.sort_by(|&a, &b| key(a).partial_cmp(&key(b)).expect("no NaN").then(a.cmp(&b)));
    places.truncate(k);
    places
}

fn routers<T: Number>(judge: &mut Judge) {
    for (case, over_all) in Case::ALL.into_iter().flat_map(|case| [(case, false), (case, true)]) {
        let what = if over_all { "over all" } else { "over the chosen" };
        let mut bits = Bits(28);
        for shape in Shape::of(case).into_iter().filter(|shape| shape.inner == 1) {
            let (n, k) = (shape.len, 3.min(shape.len));
            let router = TopKSoftmax::new(n, k).expect("as many as there are");
            let router = if over_all { router.over_all() } else { router };
            let x = bits.inputs::<T>(case, shape.size());
            let g = bits.numbers::<T>(shape.outer * k, 3.0);
            let zero = Expected::of(Big::ZERO, 0.0);
            let (mut indices, mut weights, mut grads) = (Vec::new(), Vec::new(), vec![zero; x.len()]);
            for (row, x) in x.chunks(n).enumerate() {
                let chosen = greatest(x, k);
                let places: Vec<usize> = if over_all { (0..n).collect() } else { chosen.clone() };
                let of = Row::exact(&big(&places.iter().map(|&i| x[i]).collect::<Vec<T>>()));
                let g_of = |i: &usize| chosen.iter().position(|j| j == i).map_or(Big::ZERO, |j| g[row * k + j].big());
                let g: Vec<Big> = places.iter().map(g_of).collect();
                let gradient = Gradient::of::<T>(Kind::Softmax, &of, &g);
                for (j, &i) in places.iter().enumerate() {
                    let (grad, noise) = gradient.at(j);
                    grads[row * n + i] = Expected::of(grad, 1.0).within(noise);
                }
                weights.extend(chosen.iter().map(|i| {
                    let j = places.iter().position(|j| j == i).expect("a place");
                    Expected::between(of.p[j].0, of.p[j].1, BOUND)
                }));
                indices.extend(chosen);
            }
            for level in Level::available().map(Some).chain([None]) {
                let place = format!("{k} of {n} at {}", level.map_or("best", Level::name));
                let (mut got, mut got_weights) = (vec![usize::MAX; indices.len()], stale::<T>(g.len()));
                let mut grad_x = stale::<T>(x.len());
                let (forward, backward) = match level {
                    None => {
                        router.forward(&x, &mut got, &mut got_weights);
                        router.backward(&x, &indices, &g, &mut grad_x);
                        ("TopKSoftmax::forward", "TopKSoftmax::backward")
                    }
                    Some(level) => {
                        router.forward_at(level, &x, &mut got, &mut got_weights);
                        router.backward_at(level, &x, &indices, &g, &mut grad_x);
                        ("TopKSoftmax::forward_at", "TopKSoftmax::backward_at")
                    }
                };
                assert_eq!(got, indices, "{} {case:?}, {place}", T::TYPE);
                judge.slice((forward, what, case), &place, &[], &weights, &got_weights);
                judge.slice((backward, what, case), &place, &x, &grads, &grad_x);
            }
        }
    }
}

pub(crate) fn covered() -> Vec<String> {
    let methods = ["backward_with_sink", "run_with_sink"];
    let functions: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).chain(["Scores"]).collect();
    [
        names(&functions, &["sink"]),
        names(&["Scores", "At", "SinkGradient"], &methods),
        names(&["TopKSoftmax"], &["forward", "forward_at", "backward", "backward_at"]),
    ]
    .concat()
}

#[test]
fn sinks_and_routers_are_within_their_bounds() {
    let mut judge = Judge::new("attention");
    for_each_type!(sinks(&mut judge));
    for_each_type!(routers(&mut judge));
    judge.finish(&covered());
}
