//! The points of a curve, with gaps where the function jumps.

use activations::AnyActivation;

use crate::evaluate::{Curve, evaluate};

/// If neighbours differ by more than this, relative to the greater of 1 and the value, there may be a jump between them.
const SUSPICIOUS: f32 = 0.05;

/// `count` points (x, y), evenly spaced. Where the function jumps, a point with NaN for y stands between the last float on the left
/// and the first on the right.
///
/// # Panics
/// If there are fewer than two points.
#[must_use]
pub fn points(activation: &AnyActivation, curve: Curve<f32>, from: f64, to: f64, count: u16) -> Vec<[f32; 2]> {
    assert!(count >= 2, "a curve has two points or more");
    let step = (to - from) / f64::from(count - 1);
    let x: Vec<f32> = (0..count).map(|i| (from + f64::from(i) * step) as f32).collect();
    let y = evaluate(activation, curve, &x);
    let mut points: Vec<[f32; 2]> = Vec::with_capacity(x.len());
    for here in x.into_iter().zip(y).map(|(x, y)| [x, y]) {
        if let Some(before) = points.last() {
            points.extend(jump(activation, curve, *before, here).into_iter().flatten());
        }
        points.push(here);
    }
    points
}

/// The two sides of a jump between two points, and the gap; `None` if there is no jump.
fn jump(activation: &AnyActivation, curve: Curve<f32>, left: [f32; 2], right: [f32; 2]) -> Option<[[f32; 2]; 3]> {
    let height = |[_, low]: [f32; 2], [_, high]: [f32; 2]| (high - low).abs();
    let whole = height(left, right);
    if whole.is_nan() || whole <= SUSPICIOUS * left[1].abs().max(1.0) {
        return None;
    }
    // Halves the interval until its ends are neighbours, and keeps the half in which the function moves more. A continuous function
    // moves little between neighbours.
    let (mut left, mut right) = (left, right);
    loop {
        let x = f32::midpoint(left[0], right[0]);
        if x <= left[0] || x >= right[0] {
            break;
        }
        let middle = [x, evaluate(activation, curve, &[x])[0]];
        if height(left, middle) > height(middle, right) {
            right = middle;
        } else {
            left = middle;
        }
    }
    (height(left, right) > whole / 2.0).then_some([left, [right[0], f32::NAN], right])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(name: &str, curve: Curve<f32>) -> Vec<f32> {
        let points = points(&name.parse().unwrap(), curve, -5.0, 5.0, 601);
        points.iter().filter(|[_, y]| y.is_nan()).map(|[x, _]| *x).collect()
    }

    #[test]
    fn curves_have_gaps_where_functions_jump() {
        assert_eq!(gaps("hardshrink", Curve::Value), [-0.5, 0.5_f32.next_up()]);
        assert_eq!(gaps("relu", Curve::Derivative), [f32::from_bits(1)]);
        assert_eq!(gaps("relu", Curve::Gradient(-2.0)), [f32::from_bits(1)]);
        assert_eq!(gaps("hardmax", Curve::Value), [1.0]);
    }

    #[test]
    fn curves_have_no_gaps_where_functions_are_steep() {
        for name in ["exponential", "xielu", "relu", "softplus(beta=50)", "hard_tanh", "snake(a=9)"] {
            assert!(gaps(name, Curve::Value).is_empty(), "{name}");
        }
    }
}
