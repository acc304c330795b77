//! Which functions have a fast form, and all ways to call it.

use activations::{
    Activation, AnyActivation, Element, Elementwise, Elu, Fast, FromOutput, Gelu, Level, Pass, Pieces, Real, Relu,
    Rrelu, Sigmoid, Silu, Softmax, Tanh,
};

use crate::common::fast::Contract;
use crate::support::{Bits, Float, Outputs, assert_same, same};

fn numbers<T: Float>(len: usize) -> Vec<T> {
    let mut bits = Bits(72);
    (0..len).map(|_| T::of(bits.within(9.0))).collect()
}

fn same_outputs<T: Float>(what: &str, x: &[T], a: &impl Activation<T>, b: &impl Activation<T>) {
    for ((method, a), (_, b)) in Outputs::of(a, x, x).named().into_iter().zip(Outputs::of(b, x, x).named()) {
        assert_same(&format!("{what}, {method}"), x, a, b);
    }
}

#[test]
fn functions_without_a_contract_have_the_bits_of_the_default() {
    let x = numbers::<f32>(600);
    // `rows` tests functions of rows.
    let in_rows = |activation: &AnyActivation| ["softmax", "softmin"].contains(&activation.card().name);
    for activation in AnyActivation::all().filter(|activation| !in_rows(activation)) {
        for level in Level::available() {
            let (fast, default) = (level.with(Fast(activation)), level.with(activation));
            if Contract::of(activation.card().name).is_none() {
                same_outputs(&format!("{activation} at {level}"), &x, &default, &fast);
            } else {
                let (fast, default) = (Outputs::of(&fast, &x, &x), Outputs::of(&default, &x, &x));
                for ((method, fast), (_, default)) in fast.named().into_iter().zip(default.named()) {
                    let differ = fast.iter().zip(default).filter(|(a, b)| !same(**a, **b)).count();
                    assert!(differ > 20, "{activation} at {level} has no fast {method}: {differ} results differ");
                }
            }
        }
    }
}

#[test]
fn f64_has_the_bits_of_the_default() {
    let x = numbers::<f64>(600);
    for (activation, level) in AnyActivation::all().flat_map(|a| Level::available().map(move |level| (a, level))) {
        let what = format!("{activation} at {level}");
        same_outputs(&what, &x, &level.with(activation), &level.with(Fast(activation)));
    }
}

#[test]
fn every_way_leads_to_the_same_form() {
    #[cfg(feature = "rayon")]
    use activations::IntoParallel;
    /// Without threads there is nothing to compare.
    #[cfg(not(feature = "rayon"))]
    trait IntoParallel {}
    #[cfg(not(feature = "rayon"))]
    impl<A> IntoParallel for A {}

    fn check<A: Activation<f32> + Copy + Sync + IntoParallel>(activation: A, name: &str) {
        let x = numbers::<f32>(1_000);
        let expected = Fast(activation);
        let by_name: AnyActivation = name.parse().expect("an activation");
        same_outputs(name, &x, &expected, &Fast(by_name));
        same_outputs(name, &x, &expected, &Fast(Fast(activation)));
        same_outputs(name, &x, &expected, &Fast(&activation as &dyn Activation<f32>));
        same_outputs(name, &x, &expected, &Fast(Box::new(activation) as Box<dyn Activation<f32> + '_>));
        same_outputs(name, &x, &expected, &(Box::new(Fast(activation)) as Box<dyn Activation<f32> + '_>));
        for level in Level::available() {
            same_outputs(name, &x, &level.with(Fast(activation)), &Fast(level.with(activation)));
        }
        #[cfg(feature = "rayon")]
        {
            same_outputs(name, &x, &expected, &Fast(activation.parallel().with_min_len(16)));
            same_outputs(name, &x, &expected, &expected.parallel().with_min_len(16));
        }
    }
    check(Gelu, "gelu");
    check(Silu, "silu");
    check(Elu::default(), "elu");
    check(Relu, "relu");
    check(Rrelu::default(), "rrelu");
}

#[test]
fn rows_keep_their_length() {
    let x = numbers::<f32>(120);
    let softmax = Softmax::rows(12).expect("a length");
    let by_name = AnyActivation::from(softmax);
    same_outputs("softmax", &x, &Fast(softmax), &Fast(by_name));
    assert_eq!(Activation::<f32>::pieces(&Fast(softmax)), Pieces::Rows(12));
    assert_eq!(Activation::<f32>::pieces(&Fast(AnyActivation::from(softmax))), Pieces::Rows(12));
    assert_eq!(Activation::<f32>::pieces(&Fast(Gelu)), Pieces::Elements);
}

#[cfg(feature = "half")]
#[test]
fn rows_of_halves_are_those_of_f32_rounded_once() {
    let x: Vec<half::f16> = numbers::<f32>(3_000).into_iter().map(half::f16::from_f32).collect();
    let softmax = AnyActivation::from(Softmax::rows(1_500).expect("a length"));
    let wide: Vec<f32> = x.iter().map(|x| x.to_f32()).collect();
    let rounded: Vec<half::f16> = Fast(softmax).forward_vec(&wide).into_iter().map(half::f16::from_f32).collect();
    assert_eq!(Fast(softmax).forward_vec(&x), rounded);
    assert_eq!(Fast(softmax).backward_vec(&x, &x), softmax.backward_vec(&x, &x));
}

#[test]
fn gradients_from_outputs_are_those_of_the_default() {
    fn check<F: FromOutput<f32>>(f: F) {
        let (y, grad_y) = (f.forward_vec(&numbers(300)), numbers::<f32>(300));
        let expected = f.backward_from_output_vec(&y, &grad_y);
        assert_same("from output", &y, &expected, &Fast(f).backward_from_output_vec(&y, &grad_y));
    }
    check(Tanh);
    check(Sigmoid);
    check(Elu::default());
}

/// A user's formula, and a user's activation: neither has a fast form.
#[test]
fn a_users_function_has_the_bits_of_the_default() {
    #[derive(Clone, Copy)]
    struct Cube;

    impl Elementwise for Cube {
        #[inline(always)]
        fn value<R: Real>(&self, x: R) -> R {
            x * x * x
        }

        #[inline(always)]
        fn slope<R: Real>(&self, x: R) -> R {
            R::of(3.0) * x * x
        }
    }

    struct Wrapped;

    impl<T: Element> Activation<T> for Wrapped {
        fn run(&self, level: Level, pass: Pass<'_, T>) {
            Gelu.run(level, pass);
        }
    }

    let x = numbers::<f32>(300);
    same_outputs("cube", &x, &Cube, &Fast(Cube));
    same_outputs("wrapped", &x, &Gelu, &Fast(Wrapped));
}
