//! Functions of single elements: all passes and levels agree to the bit, special values, ranges.

use activations::{Activation, AnyActivation, Level};

use crate::common::Part;
use crate::common::oracle;
use crate::input::Input;
use crate::support::{Float, Outputs, assert_same, same, show, value};

pub(crate) fn run(mut input: Input<'_>) {
    let activation = input.activation();
    let elementwise = AnyActivation::all()
        .any(|default| default.card().name == activation.card().name && oracle::of(&default, Part::Value).is_some());
    if elementwise {
        if input.flag() { check::<f32>(activation, input) } else { check::<f64>(activation, input) }
    }
}

fn check<T: Float>(activation: AnyActivation, mut input: Input<'_>) {
    let (offset, len, probe) = (input.below(8), input.below(1_400), input.below(1_400));
    let all = input.floats::<T>(offset + len);
    let x = &all[offset..];
    let grad_y: Vec<T> = x.iter().rev().copied().collect();
    let default = activation.parameters().eq(default_of(activation).parameters());

    let mut of_kinds: [Option<Outputs<T>>; 2] = [None, None];
    for level in Level::available() {
        let outputs = Outputs::of(&level.with(activation), x, &grad_y);
        let what = |pass: &str| format!("{activation} at {level}, {pass}");
        let [forward, in_place, derivative, both, both_slopes, backward] = outputs.named();
        assert_same(&what(in_place.0), x, forward.1, in_place.1);
        assert_same(&what(both.0), x, forward.1, both.1);
        assert_same(&what(both_slopes.0), x, derivative.1, both_slopes.1);
        let product: Vec<T> = grad_y.iter().zip(derivative.1).map(|(&g, &d)| g * d).collect();
        assert_same(&what(backward.0), x, &product, backward.1);

        for ((&x, &y), &slope) in x.iter().zip(forward.1).zip(derivative.1) {
            let at = || format!("{}: f({}) = {}, f' = {}", what(T::TYPE), show(x), show(y), show(slope));
            if x.is_nan() {
                assert!(y.is_nan() && slope.is_nan(), "{}", at());
            } else if default {
                assert!(!y.is_nan() && !slope.is_nan(), "{}", at());
                in_range(activation, level, y).unwrap_or_else(|end| panic!("{}, beyond {end}", at()));
            }
        }
        if let Some(&x) = x.get(probe) {
            let alone = value(&level.with(activation), x);
            assert!(same(alone, forward.1[probe]), "{}: {} alone gives {}", what("place"), show(x), show(alone));
        }
        if let Some(from_output) = activation.as_from_output::<T>() {
            let mut grad_x = vec![T::zero(); len];
            from_output.run_from_output(level, forward.1, &grad_y, &mut grad_x);
        }

        match &of_kinds[usize::from(level.is_fused())] {
            Some(other) => {
                for (this, other) in outputs.named().into_iter().zip(other.named()) {
                    assert_same(&what(this.0), x, other.1, this.1);
                }
            }
            None => of_kinds[usize::from(level.is_fused())] = Some(outputs),
        }
    }
    let mut extended = vec![T::one()];
    activation.forward_extend(x, &mut extended);
    assert_same(&format!("{activation}, forward_extend"), x, &activation.forward_vec(x), &extended[1..]);
}

fn default_of(activation: AnyActivation) -> AnyActivation {
    AnyActivation::all().find(|default| default.card().name == activation.card().name).expect("one of the list")
}

/// The end of the range that a value exceeds by more than its error.
fn in_range<T: Float>(activation: AnyActivation, level: Level, y: T) -> Result<(), f64> {
    let card = activation.card();
    let bound = T::bounds(&card.error, level.is_fused()).0;
    let slack = |end: f64| if end == end.round() { 0.0 } else { (bound + 1.0) * T::of(end).spacing() };
    let (low, high) = card.range;
    if y.wide() < low - slack(low) {
        Err(low)
    } else if y.wide() > high + slack(high) {
        Err(high)
    } else {
        Ok(())
    }
}
