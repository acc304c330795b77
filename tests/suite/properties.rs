//! Properties that hold for any slice: any length, any place in a buffer, any bits.

use crate::support::{
    Float, Outputs, assert_same, chosen, elementwise, is_elementwise, on_one_row, on_rows, same, show, sum, value,
};
use activations::{Activation, AnyActivation, Level, Pass, Softmax};
use proptest::prelude::*;
use proptest::sample::select;

/// There is no file of past failures, because a failure's message has all the bits.
fn cases(n: u32) -> ProptestConfig {
    ProptestConfig { cases: n, failure_persistence: None, ..ProptestConfig::default() }
}

/// Any length up to 300, and lengths near a whole number of the loop's blocks of 256.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 0..=300_usize, 1 => 253..=259_usize, 1 => 509..=515_usize, 1 => 1021..=1027_usize]
}

fn activation() -> impl Strategy<Value = AnyActivation> {
    select(chosen().collect::<Vec<_>>())
}

fn elementwise_activation() -> impl Strategy<Value = AnyActivation> {
    select(elementwise().collect::<Vec<_>>())
}

fn level() -> impl Strategy<Value = Level> {
    select(Level::available().collect::<Vec<_>>())
}

/// Any float: random bits, a subnormal number, a special value, or a number of the magnitudes in a network.
fn float<T: Float>() -> impl Strategy<Value = T> {
    let specials = vec![
        T::zero(),
        T::neg_zero(),
        T::infinity(),
        T::neg_infinity(),
        T::nan(),
        T::max_value(),
        T::min_value(),
        T::min_positive_value(),
    ];
    let least_normal = T::min_positive_value().bits();
    prop_oneof![
        3 => any::<u64>().prop_map(T::of_bits),
        1 => (0..least_normal, any::<bool>()).prop_map(|(b, s)| if s { -T::of_bits(b) } else { T::of_bits(b) }),
        1 => select(specials),
        4 => (-12.0..12.0).prop_map(T::of),
        2 => (-800.0..800.0).prop_map(T::of),
    ]
}

/// Finite scores of one magnitude, from almost 0 to magnitudes whose spacing is far above 1.
fn scores<T: Float>(len: impl Strategy<Value = usize>) -> impl Strategy<Value = Vec<T>> {
    (len, select(vec![0.0, 1e-3, 1.0, 10.0, 100.0, 1e4, 1e30]))
        .prop_flat_map(|(len, size)| prop::collection::vec((-1.0..1.0).prop_map(move |x| T::of(x * size)), len))
}

/// A slice with guards around it: `MARGIN` elements or more on both sides, so that a whole vector too much is noticed.
struct Guarded<T> {
    buffer: Vec<T>,
    start: usize,
    len: usize,
}

const MARGIN: usize = 70;

impl<T: Float> Guarded<T> {
    fn guard(i: usize) -> T {
        T::of(1234.0 + i as f64)
    }

    fn new(offset: usize, content: &[T]) -> Self {
        let (start, len) = (MARGIN + offset, content.len());
        let mut buffer: Vec<T> = (0..start + len + MARGIN).map(Self::guard).collect();
        buffer[start..start + len].copy_from_slice(content);
        Self { buffer, start, len }
    }

    fn slice(&mut self) -> &mut [T] {
        &mut self.buffer[self.start..self.start + self.len]
    }

    /// The content, if the guards are intact.
    fn checked(&self, what: &str) -> &[T] {
        for (i, &b) in self.buffer.iter().enumerate() {
            let inside = (self.start..self.start + self.len).contains(&i);
            let place = i as isize - self.start as isize;
            assert!(inside || same(b, Self::guard(i)), "{what}: element {place} of {} was overwritten", self.len);
        }
        &self.buffer[self.start..self.start + self.len]
    }
}

/// Inputs, gradients, and the offsets of x, grad_y and the two outputs in their buffers.
type Slices<T> = (Vec<(T, T)>, [usize; 4]);

fn slices<T: Float>() -> impl Strategy<Value = Slices<T>> {
    let pairs = length().prop_flat_map(|len| prop::collection::vec((float(), float()), len));
    (pairs, prop::array::uniform4(0..=32_usize))
}

/// Every method gives the same on guarded, misaligned slices as on separate slices, and writes nothing else.
fn misaligned_is_the_same<T: Float>(activation: AnyActivation, level: Level, (pairs, offsets): Slices<T>) {
    let (x, grad_y): (Vec<T>, Vec<T>) = pairs.into_iter().unzip();
    let at = level.with(activation);
    let expected = Outputs::of(&at, &x, &grad_y);
    let what = format!("{activation} at {level}, {} elements at {offsets:?}", x.len());
    let mut guarded_x = Guarded::new(offsets[0], &x);
    let mut guarded_g = Guarded::new(offsets[1], &grad_y);
    let empty = vec![T::nan(); x.len()];
    let (mut a, mut b) = (Guarded::new(offsets[2], &empty), Guarded::new(offsets[3], &empty));
    let (gx, gg) = (guarded_x.slice(), guarded_g.slice());
    let check = |method: &str, expected: &[T], got: &Guarded<T>| {
        let what = format!("{what}, {method}");
        assert_same(&what, &x, expected, got.checked(&what));
    };

    at.forward(gx, a.slice());
    check("forward", &expected.forward, &a);
    at.derivative(gx, b.slice());
    check("derivative", &expected.derivative, &b);
    at.backward(gx, gg, a.slice());
    check("backward", &expected.backward, &a);
    at.forward_with_derivative(gx, a.slice(), b.slice());
    check("forward_with_derivative, value", &expected.both.0, &a);
    check("forward_with_derivative, derivative", &expected.both.1, &b);

    let mut in_place = Guarded::new(offsets[2], &x);
    at.forward_in_place(in_place.slice());
    check("forward_in_place", &expected.forward, &in_place);

    // Inputs are read only.
    assert_same(&what, &x, &x, guarded_x.checked(&what));
    assert_same(&what, &x, &grad_y, guarded_g.checked(&what));
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn any_f32_slice_anywhere_is_written_in_full_and_nothing_else(
        activation in activation(), level in level(), slices in slices::<f32>()
    ) {
        misaligned_is_the_same(activation, level, slices);
    }

    #[test]
    fn any_f64_slice_anywhere_is_written_in_full_and_nothing_else(
        activation in activation(), level in level(), slices in slices::<f64>()
    ) {
        misaligned_is_the_same(activation, level, slices);
    }
}

/// Without a level, the methods run at the best one. The methods that make a vector give the same.
fn best_level_is_the_default<T: Float>(activation: AnyActivation, pairs: Vec<(T, T)>) {
    let (x, g): (Vec<T>, Vec<T>) = pairs.into_iter().unzip();
    let best = Level::best();
    let expected = Outputs::of(&best.with(activation), &x, &g);
    for ((method, expected), (_, got)) in expected.named().into_iter().zip(Outputs::of(&activation, &x, &g).named()) {
        assert_same(&format!("{activation}, {method}, without a level"), &x, expected, got);
    }
    let made = [activation.forward_vec(&x), activation.derivative_vec(&x), activation.backward_vec(&x, &g)];
    for (expected, got) in [&expected.forward, &expected.derivative, &expected.backward].into_iter().zip(&made) {
        assert_same(&format!("{activation}, into a vector"), &x, expected, got);
    }
    let mut y = vec![T::nan(); x.len()];
    activation.run(best, Pass::Forward { x: &x, y: &mut y });
    assert_same(&format!("{activation}, run"), &x, &expected.forward, &y);
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn best_level_is_the_default_in_f32(
        activation in activation(), pairs in prop::collection::vec((float(), float()), 0..300)
    ) {
        best_level_is_the_default::<f32>(activation, pairs);
    }

    #[test]
    fn best_level_is_the_default_in_f64(
        activation in activation(), pairs in prop::collection::vec((float(), float()), 0..300)
    ) {
        best_level_is_the_default::<f64>(activation, pairs);
    }
}

/// Whether `y` is outside `low..=high` by more than `slack` spacings at the end that it is beyond.
fn outside<T: Float>(y: T, (low, high): (f64, f64), slack: f64) -> bool {
    // 0, 1, -1 and infinities are floats, so no rounding can excuse a result beyond them.
    let exact = |end: f64| end.is_infinite() || end == end.round();
    let reach = |end: f64| if exact(end) { 0.0 } else { (slack + 0.5) * T::of(end).spacing() };
    y.wide() < low - reach(low) || y.wide() > high + reach(high)
}

/// The range is finite, odd functions are odd to the bit, and monotone functions never fall.
fn shape_holds<T: Float>(activation: AnyActivation, level: Level, mut x: Vec<T>) {
    let card = activation.card();
    let at = level.with(activation);
    let bound = T::bounds(&card.error, level.is_fused()).0;
    x.retain(|x| !x.is_nan());
    x.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let mut y = vec![T::nan(); x.len()];
    at.forward(&x, &mut y);
    for (&x, &y) in x.iter().zip(&y) {
        assert!(
            !y.is_nan() && !outside(y, card.range, bound),
            "{activation} {} at {level}: f({}) = {} is outside the range {:?}",
            T::TYPE,
            show(x),
            show(y),
            card.range
        );
    }
    if card.monotone {
        for i in 1..x.len() {
            // Both may be off by the bound, in opposite directions.
            let fall = y[i - 1].wide() - y[i].wide();
            assert!(
                y[i] >= y[i - 1] || fall <= 2.0 * bound * y[i - 1].spacing().max(y[i].spacing()),
                "{activation} {} at {level}: f({}) = {} is above f({}) = {} by more than {bound} ULP each",
                T::TYPE,
                show(x[i - 1]),
                show(y[i - 1]),
                show(x[i]),
                show(y[i])
            );
        }
    }
    if card.zero_centred {
        let mirrored: Vec<T> = x.iter().map(|&x| -x).collect();
        let mut got = vec![T::nan(); x.len()];
        at.forward(&mirrored, &mut got);
        let expected: Vec<T> = y.iter().map(|&y| -y).collect();
        assert_same(&format!("{activation} at {level}, -f(-x)"), &mirrored, &expected, &got);
    }
}

/// Successive floats from `x` upwards, where a function that is not monotone would be noticed.
fn neighbours<T: Float>(x: T, stride: u64) -> Vec<T> {
    let x = if x.is_finite() { x } else { T::one() };
    (0..600).map(|i| T::of_bits(x.bits().wrapping_add(i * stride))).filter(|x| x.is_finite()).collect()
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn range_monotonicity_and_oddness_hold_in_f32(
        activation in elementwise_activation(), level in level(), x in prop::collection::vec(float::<f32>(), 0..300),
        start in float::<f32>(), stride in 1..5_u64
    ) {
        shape_holds(activation, level, x);
        shape_holds(activation, level, neighbours(start, stride));
    }

    #[test]
    fn range_monotonicity_and_oddness_hold_in_f64(
        activation in elementwise_activation(), level in level(), x in prop::collection::vec(float::<f64>(), 0..300),
        start in float::<f64>(), stride in 1..5_u64
    ) {
        shape_holds(activation, level, x);
        shape_holds(activation, level, neighbours(start, stride));
    }

    #[test]
    fn scalar_results_are_those_of_the_slice(
        activation in elementwise_activation(), level in level(), x in prop::collection::vec(float::<f32>(), 1..40)
    ) {
        let at = level.with(activation);
        let mut y = x.clone();
        at.forward_in_place(&mut y);
        let alone: Vec<f32> = x.iter().map(|&x| value(&at, x)).collect();
        assert_same(&format!("{activation} at {level}, one by one"), &x, &alone, &y);
    }
}

#[test]
fn functions_of_rows_are_those_tested_below() {
    let rows: Vec<String> = AnyActivation::all().filter(|a| !is_elementwise(a)).map(|a| a.to_string()).collect();
    assert_eq!(
        rows,
        ["softmax", "log_softmax", "softmin", "sparsemax", "hardmax"],
        "a new row-wise function: give it the tests below too"
    );
}

fn softmax<T: Float>(level: Level, row_len: usize, x: &[T]) -> Vec<T> {
    let mut p = vec![T::nan(); x.len()];
    level.with(Softmax::rows(row_len).unwrap()).forward(x, &mut p);
    p
}

/// Each probability is within the bound of the exact one, so two that should be equal differ by at most two bounds.
fn assert_equal_within_bounds<T: Float>(what: &str, level: Level, expected: &[T], got: &[T]) {
    let error = AnyActivation::from(Softmax::default()).card().error;
    let bound = 2.0 * T::bounds(&error, level.is_fused()).0;
    for (i, (&e, &g)) in expected.iter().zip(got).enumerate() {
        let ulp = (e.wide() - g.wide()).abs() / e.spacing().max(g.spacing());
        assert!(ulp <= bound, "softmax {} at {level}, {what}, {i}: {} or {}, {ulp} ULP", T::TYPE, show(e), show(g));
    }
}

fn rows_are_distributions<T: Float>(level: Level, x: &[T]) {
    let p = softmax(level, x.len(), x);
    let sum = sum(p.iter().map(|p| p.wide()));
    // Each p is right to `bound` spacings, and a spacing is at most EPS p, or TINY.
    let error = AnyActivation::from(Softmax::default()).card().error;
    let bound = T::bounds(&error, level.is_fused()).0 * (T::EPS + x.len() as f64 * T::TINY);
    assert!(bound <= 1e-6);
    let what = format!("softmax {} at {level}, a row of {}", T::TYPE, x.len());
    assert!((sum - 1.0).abs() <= bound, "{what}: sums to 1 + {:e}; x = {x:?}", sum - 1.0);
    for (&x, &p) in x.iter().zip(&p) {
        assert!(p >= T::zero() && p <= T::one() && p.is_sign_positive(), "{what}: p({}) = {}", show(x), show(p));
    }
    // e^-800 is below half the least subnormal of either type.
    let max = x.iter().map(|x| x.wide()).fold(f64::NEG_INFINITY, f64::max);
    for (&x, &p) in x.iter().zip(&p).filter(|(x, _)| max - x.wide() > 800.0) {
        assert!(p == T::zero(), "{what}: p({}) = {}, though the greatest score is {max:e}", show(x), show(p));
    }
    // The order of probabilities is the order of scores.
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[a].partial_cmp(&x[b]).unwrap());
    for pair in order.windows(2) {
        let (less, more) = (p[pair[0]], p[pair[1]]);
        let slack = 2.0 * T::bounds(&error, level.is_fused()).0 * less.spacing();
        assert!(less.wide() <= more.wide() + slack, "{what}: {} for the lesser score, {}", show(less), show(more));
    }
}

fn permutation_permutes<T: Float>(level: Level, x: &[T], keys: &[u64]) {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by_key(|&i| keys[i % keys.len()] ^ (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let permuted: Vec<T> = order.iter().map(|&i| x[i]).collect();
    let p = softmax(level, x.len(), x);
    let expected: Vec<T> = order.iter().map(|&i| p[i]).collect();
    assert_equal_within_bounds("permuted", level, &expected, &softmax(level, x.len(), &permuted));
}

/// Scores are multiples of 1/256 and the shift is an integer, so both sums and their difference are exact.
fn shift_changes_nothing<T: Float>(level: Level, x: &[i32], shift: i32) {
    let of = |shift: i32| -> Vec<T> { x.iter().map(|&x| T::of(f64::from(x) / 256.0 + f64::from(shift))).collect() };
    let what = format!("shifted by {shift}");
    assert_equal_within_bounds(&what, level, &softmax(level, x.len(), &of(0)), &softmax(level, x.len(), &of(shift)));
}

/// Random bits in the other rows do not change a row's outputs.
fn rows_do_not_mix<T: Float>(level: Level, row_len: usize, x: &[(T, T)], noise: &[T]) {
    let rows = x.len() / row_len;
    let (x, g): (Vec<T>, Vec<T>) = x[..rows * row_len].iter().copied().unzip();
    for (rowwise, whole) in on_rows(row_len).into_iter().zip(on_one_row()) {
        let at = level.with(rowwise);
        let before = Outputs::of(&at, &x, &g);
        for kept in 0..rows {
            let own = kept * row_len..(kept + 1) * row_len;
            let disturbed = |a: &[T]| -> Vec<T> {
                let noisy = |(i, &a): (usize, &T)| if own.contains(&i) { a } else { noise[i % noise.len()] };
                a.iter().enumerate().map(noisy).collect()
            };
            let after = Outputs::of(&at, &disturbed(&x), &disturbed(&g));
            let alone = Outputs::of(&level.with(whole), &x[own.clone()], &g[own.clone()]);
            for (((method, before), (_, after)), (_, alone)) in
                before.named().into_iter().zip(after.named()).zip(alone.named())
            {
                let what = format!("{whole} at {level}, {method}, row {kept} of {rows}, each of {row_len}");
                assert_same(&what, &x[own.clone()], &before[own.clone()], &after[own.clone()]);
                assert_same(&what, &x[own.clone()], &before[own.clone()], alone);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn softmax_rows_are_distributions_in_the_order_of_the_scores(
        level in level(),
        x in scores::<f32>(length().prop_map(|n| n.max(1))),
        wide in scores::<f64>(length().prop_map(|n| n.max(1)))
    ) {
        rows_are_distributions(level, &x);
        rows_are_distributions(level, &wide);
    }

    #[test]
    fn softmax_of_a_permuted_row_is_permuted(
        level in level(), x in scores::<f32>(1..600_usize), wide in scores::<f64>(1..600_usize),
        keys in prop::collection::vec(any::<u64>(), 1..50)
    ) {
        permutation_permutes(level, &x, &keys);
        permutation_permutes(level, &wide, &keys);
    }

    #[test]
    fn adding_a_constant_to_all_scores_does_not_change_softmax(
        level in level(), x in prop::collection::vec(-64 * 256..=64 * 256, 1..600), shift in -1024..=1024
    ) {
        shift_changes_nothing::<f32>(level, &x, shift);
        shift_changes_nothing::<f64>(level, &x, shift);
    }

    #[test]
    fn rows_do_not_mix_in_any_pass(
        level in level(), row_len in 1..80_usize,
        x in prop::collection::vec((float::<f32>(), float::<f32>()), 0..300),
        noise in prop::collection::vec(float::<f32>(), 1..90),
        wide in prop::collection::vec((float::<f64>(), float::<f64>()), 0..300),
        wide_noise in prop::collection::vec(float::<f64>(), 1..90)
    ) {
        rows_do_not_mix(level, row_len, &x, &noise);
        rows_do_not_mix(level, row_len, &wide, &wide_noise);
    }
}
