//! A user's own formula: all methods, both types, all levels, and the bits of the built-in function with the same formula.

use crate::support::{Bits, Float, Outputs, assert_same, slope, value};
use activations::{Activation, Element, Elementwise, LeakyRelu, Level, Pass, Pieces, Real, Sigmoid, Tanh, math};
use approx::assert_relative_eq;

/// x sigmoid(1.702 x).
#[derive(Clone, Copy)]
struct QuickGelu;

impl Elementwise for QuickGelu {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        x * math::sigmoid(R::of(1.702) * x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let z = R::of(1.702) * x;
        math::sigmoid(z) * (z * math::sigmoid(-z) + R::of(1.0))
    }
}

/// The built-in sigmoid's formula again.
#[derive(Clone, Copy)]
struct OwnSigmoid;

impl Elementwise for OwnSigmoid {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        math::sigmoid(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let q = math::sigmoid(-x.abs());
        q * (R::of(1.0) - q)
    }
}

/// The same, one element after another.
#[derive(Clone, Copy)]
struct OneByOne;

impl Elementwise for OneByOne {
    const ABREAST: usize = 1;

    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        OwnSigmoid.value(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        OwnSigmoid.slope(x)
    }
}

#[derive(Clone, Copy)]
struct OwnTanh;

impl Elementwise for OwnTanh {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        math::tanh(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        let t = math::tanh(x);
        R::of(1.0) - t * t
    }
}

/// A formula with a parameter.
#[derive(Clone, Copy)]
struct Leaky {
    negative_slope: f64,
}

impl Elementwise for Leaky {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        R::select(R::of(0.0).lt(x), x, x * R::of(self.negative_slope))
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        R::select(R::of(0.0).lt(x), R::of(1.0), R::of(self.negative_slope))
    }
}

/// Inputs and gradients: random bits, and a length with blocks and a rest.
fn inputs<T: Float>() -> (Vec<T>, Vec<T>) {
    let mut bits = Bits(31);
    (bits.floats(1_100), bits.floats(1_100))
}

#[track_caller]
fn assert_all_same<T: Float>(what: &str, x: &[T], expected: &Outputs<T>, got: &Outputs<T>) {
    for ((method, expected), (_, got)) in expected.named().into_iter().zip(got.named()) {
        assert_same(&format!("{what}, {method}"), x, expected, got);
    }
}

#[test]
fn the_same_formula_gives_the_bits_of_the_built_in() {
    fn check<T: Float>() {
        let (x, g) = inputs::<T>();
        for level in Level::available() {
            let built_in = Outputs::of(&level.with(Sigmoid), &x, &g);
            assert_all_same(
                &format!("sigmoid at {level}"),
                &x,
                &built_in,
                &Outputs::of(&level.with(OwnSigmoid), &x, &g),
            );
            assert_all_same(
                &format!("one by one at {level}"),
                &x,
                &built_in,
                &Outputs::of(&level.with(OneByOne), &x, &g),
            );

            let built_in = Outputs::of(&level.with(Tanh), &x, &g);
            for (method, got) in Outputs::of(&level.with(OwnTanh), &x, &g).values() {
                assert_same(&format!("tanh at {level}, {method}"), &x, &built_in.forward, got);
            }

            for slope in [0.01, 0.3, -2.0] {
                let built_in = Outputs::of(&level.with(LeakyRelu::new(slope).unwrap()), &x, &g);
                let own = Outputs::of(&level.with(Leaky { negative_slope: slope }), &x, &g);
                for (method, got) in own.values() {
                    assert_same(&format!("leaky relu {slope} at {level}, {method}"), &x, &built_in.forward, got);
                }
                // The user's derivative of NaN is not NaN, and the crate does not change that.
                for (i, &d) in own.derivative.iter().enumerate().filter(|(i, _)| !x[*i].is_nan()) {
                    assert_same("leaky relu, derivative", &x[i..=i], &built_in.derivative[i..=i], &[d]);
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn every_method_gives_the_users_formula() {
    let exact = |x: f64| x / (1.0 + (-1.702 * x).exp());
    let exact_slope = |x: f64| {
        let s = 1.0 / (1.0 + (-1.702 * x).exp());
        s + 1.702 * x * s * (1.0 - s)
    };
    let x: Vec<f64> = (-700..=700).map(|i| f64::from(i) / 100.0).collect();
    let narrow: Vec<f32> = x.iter().map(|&x| x as f32).collect();
    for level in Level::available() {
        let wide = Outputs::of(&level.with(QuickGelu), &x, &vec![-3.0; x.len()]);
        let outputs = Outputs::of(&level.with(QuickGelu), &narrow, &vec![-3.0; x.len()]);
        for (i, &x) in x.iter().enumerate() {
            for (_, y) in wide.values() {
                assert_relative_eq!(y[i], exact(x), epsilon = 1e-15, max_relative = 1e-13);
            }
            for (_, d) in wide.derivatives() {
                assert_relative_eq!(d[i], exact_slope(x), epsilon = 1e-14, max_relative = 1e-13);
            }
            assert_relative_eq!(wide.backward[i], -3.0 * exact_slope(x), epsilon = 3e-14, max_relative = 1e-13);
            let x = f64::from(narrow[i]);
            for (_, y) in outputs.values() {
                assert_relative_eq!(f64::from(y[i]), exact(x), epsilon = 1e-7, max_relative = 2e-6);
            }
            for (_, d) in outputs.derivatives() {
                assert_relative_eq!(f64::from(d[i]), exact_slope(x), epsilon = 5e-7, max_relative = 1e-6);
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_position_for_a_users_formula_either() {
    fn check<T: Float>() {
        let (x, g) = inputs::<T>();
        for fused in [true, false] {
            let levels: Vec<Level> = Level::available().filter(|level| level.is_fused() == fused).collect();
            let Some(first) = levels.first() else { continue };
            let alone_y: Vec<T> = x.iter().map(|&x| value(&first.with(QuickGelu), x)).collect();
            let alone_d: Vec<T> = x.iter().map(|&x| slope(&first.with(QuickGelu), x)).collect();
            for level in &levels {
                for from in [0, 1, 7, 300] {
                    let outputs = Outputs::of(&level.with(QuickGelu), &x[from..], &g[from..]);
                    for (method, y) in outputs.values() {
                        assert_same(&format!("quick gelu at {level}, {method}"), &x[from..], &alone_y[from..], y);
                    }
                    for (method, d) in outputs.derivatives() {
                        assert_same(&format!("quick gelu at {level}, {method}"), &x[from..], &alone_d[from..], d);
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn a_users_formula_becomes_a_trait_object_and_a_reference_to_one() {
    let layers: [Box<dyn Activation<f32>>; 3] =
        [Box::new(QuickGelu), Box::new(Leaky { negative_slope: 0.5 }), Box::new(Level::best().with(OwnSigmoid))];
    let mut x = [-2.0_f32, 0.0, 2.0];
    for layer in &layers {
        layer.forward_in_place(&mut x);
    }
    assert_eq!(x[1], 0.5);
    assert!(x[0] < 0.5 && x[2] > 0.8);
    let dynamic: &dyn Activation<f64> = &QuickGelu;
    assert_eq!(dynamic.forward_vec(&[0.0, 100.0]), [0.0, 100.0]);
    assert_eq!(dynamic.derivative_vec(&[0.0, 100.0]), [0.5, 1.0]);
    assert_eq!(dynamic.backward_vec(&[0.0, 100.0], &[2.0, 3.0]), [1.0, 3.0]);
}

#[test]
fn generic_code_takes_built_in_and_own_functions_of_any_element() {
    fn largest<T: Element>(activation: &impl Activation<T>, x: &[T]) -> T {
        activation.forward_vec(x).into_iter().fold(T::neg_infinity(), |a, b| if a < b { b } else { a })
    }
    let x = [-1.0_f32, 0.0, 3.0];
    assert_eq!(largest(&OwnSigmoid, &x), largest(&Sigmoid, &x));
    let x = [-1.0_f64, 0.0, 3.0];
    assert_eq!(largest(&OwnSigmoid, &x), largest(&Sigmoid, &x));
    assert_eq!(largest(&QuickGelu, &[0.0_f64]), 0.0);
}

/// A user's function of whole rows: each row minus its first element. It implements only `run` and the row's length.
struct MinusFirst {
    row_len: usize,
}

impl<T: Element> Activation<T> for MinusFirst {
    fn run(&self, _: Level, pass: Pass<'_, T>) {
        let shift = |row: &mut [T]| {
            let first = row[0];
            row.iter_mut().for_each(|x| *x = *x - first);
        };
        match pass {
            Pass::Forward { x, y } => {
                y.copy_from_slice(x);
                y.chunks_mut(self.row_len).for_each(shift);
            }
            Pass::ForwardInPlace { x } => x.chunks_mut(self.row_len).for_each(shift),
            Pass::Derivative { dydx, .. } => {
                dydx.fill(T::one());
                dydx.iter_mut().step_by(self.row_len).for_each(|d| *d = T::zero());
            }
            Pass::ForwardWithDerivative { x, y, dydx } => {
                self.run(Level::best(), Pass::Forward { x, y });
                self.run(Level::best(), Pass::Derivative { x, dydx });
            }
            Pass::Backward { grad_y, grad_x, .. } => {
                grad_x.copy_from_slice(grad_y);
                for row in grad_x.chunks_mut(self.row_len) {
                    row[0] = -row[1..].iter().fold(T::zero(), |sum, &g| sum + g);
                }
            }
        }
    }

    fn pieces(&self) -> Pieces {
        Pieces::Rows(self.row_len)
    }
}

#[test]
fn a_users_row_wise_function_gets_all_methods_and_the_checks() {
    let own = MinusFirst { row_len: 2 };
    let outputs = Outputs::of(&own, &[1.0_f32, 3.0, 5.0, 4.0], &[1.0, 2.0, 3.0, 4.0]);
    for (_, y) in outputs.values() {
        assert_eq!(y, [0.0, 2.0, 0.0, -1.0]);
    }
    for (_, d) in outputs.derivatives() {
        assert_eq!(d, [0.0, 1.0, 0.0, 1.0]);
    }
    assert_eq!(outputs.backward, [-2.0, 2.0, -4.0, 4.0]);
    assert_eq!(Level::best().with(own).forward_vec(&[1.0_f64, 3.0]), [0.0, 2.0]);
    let odd = std::panic::catch_unwind(|| MinusFirst { row_len: 2 }.forward_vec(&[1.0_f64; 3]));
    let message = *odd.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("3 elements") && message.contains("rows of 2"), "{message}");
}
