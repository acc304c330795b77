//! RReLU with a slope for each element.

use crate::support::{Bits, Float, assert_same, slope};
use crate::{leaky, leaky_slope};
use activations::{Activation, Level, Rrelu};

#[test]
fn rrelu_in_training_takes_a_slope_for_each_element() {
    fn check<T: Float>() {
        let mut bits = Bits(42);
        for level in Level::available() {
            for len in [0, 1, 7, 64, 300, 1_100] {
                let x = bits.floats::<T>(len);
                let grad_y = bits.floats::<T>(len);
                let slopes: Vec<T> = (0..len).map(|_| T::of(0.23 + bits.within(0.1))).collect();
                let rrelu = level.with(Rrelu::default());
                let (mut y, mut grad_x) = (vec![T::nan(); len], vec![T::nan(); len]);
                rrelu.forward_training(&x, &slopes, &mut y);
                rrelu.backward_training(&x, &slopes, &grad_y, &mut grad_x);
                let expected: Vec<T> = x.iter().zip(&slopes).map(|(&x, &a)| leaky(x, a)).collect();
                assert_same(&format!("rrelu in training at {level}"), &x, &expected, &y);
                let expected: Vec<T> = (0..len).map(|i| grad_y[i] * leaky_slope(x[i], slopes[i])).collect();
                assert_same(&format!("rrelu in training at {level}, backward"), &x, &expected, &grad_x);

                // Without a level, as users call it.
                let mut best = vec![T::nan(); len];
                Rrelu::default().forward_training(&x, &slopes, &mut best);
                assert_same("rrelu in training", &x, &y, &best);
                Rrelu::default().backward_training(&x, &slopes, &grad_y, &mut best);
                assert_same("rrelu in training, backward", &x, &grad_x, &best);

                // With the mean slope everywhere, it is the function after training.
                let mean = vec![slope(&rrelu, -T::one()); len];
                rrelu.forward_training(&x, &mean, &mut y);
                let mut expected = x.clone();
                rrelu.forward_in_place(&mut expected);
                assert_same(&format!("rrelu at {level}, mean slopes"), &x, &expected, &y);
            }
        }
    }
    check::<f32>();
    check::<f64>();
}
