//! Layers with trained or random parameters: biases, PReLU's slopes, RReLU's slopes.

use activations::{Activation, AnyActivation, BiasGradient, Biased, Gelu, Level, Prelu, Relu, Rrelu, Tanh};

use crate::activations_cells::{Leveled, METHODS, Passes, names};
use crate::big::Big;
use crate::cases::{Bits, Case};
use crate::formulas::{Formula, Pair};
use crate::judge::{Expected, Judge};
use crate::number::{Number, big, for_each_type, stale};

/// Layers of some activations with this bias: types, an activation that is chosen by name, and a trait object.
fn layers<'a, T: Number>(bias: &'a [T], level: Option<Level>) -> Vec<(AnyActivation, Box<dyn BiasGradient<T> + 'a>)> {
    macro_rules! all {
        ($($activation:expr, $layer:expr;)*) => {
            vec![$({
                let layer = Biased { activation: $layer, bias };
                let layer: Box<dyn BiasGradient<T> + 'a> = match level {
                    Some(level) => Box::new(level.with(layer)),
                    None => Box::new(layer),
                };
                (AnyActivation::from($activation), layer)
            },)*]
        };
    }
    let by_name = |name: &str| name.parse::<AnyActivation>().expect("a name");
    let object: Box<dyn Activation<T::Float>> = by_name("mish").into();
    all! {
        Relu, Relu;
        Gelu, Gelu;
        Tanh, Tanh;
        by_name("silu"), by_name("silu");
        by_name("elu"), by_name("elu");
        by_name("hard_swish"), by_name("hard_swish");
        by_name("laplace"), by_name("laplace");
        by_name("mish"), object;
    }
}

fn biased<T: Number>(judge: &mut Judge) {
    for (case, width) in Case::ALL.into_iter().flat_map(|case| [(case, 5), (case, 40)]) {
        let width = if case == Case::One { 1 } else { width };
        let mut bits = Bits(61);
        let x = bits.inputs::<T>(case, 6 * width);
        let (grad_y, bias) = (bits.numbers::<T>(x.len(), 3.0), bits.numbers::<T>(width, 1.5));
        // Rounded once, to the type in which the crate computes.
        let sum = |i: usize| Big::of(T::computed(x[i].wide() + bias[i % width].wide()));
        let sums: Vec<Big> = (0..x.len()).map(sum).collect();
        for level in Level::available().map(Some).chain([None]) {
            let fused = level.unwrap_or_else(Level::best).is_fused();
            let place = &format!("rows of {width} at {}", level.map_or("best", Level::name));
            for (activation, layer) in layers(&bias, level) {
                let formula = Formula::of::<T>(&activation).expect("a function of single numbers");
                let exact: Vec<Pair> = sums.iter().map(|&sum| formula.at(sum)).collect();
                let bounds = T::bounds(&activation.card().error, fused);
                let expected = Passes::of(&x, &grad_y, &exact, bounds, (formula.value_floor(), formula.slope_floor()));
                let what = activation.to_string();
                let at = level.is_some();
                expected.check(judge, (if at { "At" } else { "Biased" }, &what, case), place, &*layer);

                let mut check = |methods: [&str; 2], run: &dyn Fn(&mut [T], &mut [T])| {
                    let (mut grad_x, mut grad_bias) = (stale(x.len()), stale(width));
                    run(&mut grad_x, &mut grad_bias);
                    let of_bias = bias_gradient(&expected, &grad_x, width);
                    for name in methods {
                        let cell = (name, what.as_str(), case);
                        judge.slice(cell, place, &x, &expected.grads, &grad_x);
                        judge.slice(cell, place, &bias, &of_bias, &grad_bias);
                    }
                };
                let (owner, other) = if at {
                    ("At::backward_with_bias", "At::run_with_bias")
                } else {
                    ("Biased::backward_with_bias", "Biased::run_with_bias")
                };
                check([owner, "BiasGradient::backward_with_bias"], &|grad_x, grad_bias| {
                    layer.backward_with_bias(&x, &grad_y, grad_x, grad_bias);
                });
                check([other, "BiasGradient::run_with_bias"], &|grad_x, grad_bias| {
                    layer.run_with_bias(level.unwrap_or_else(Level::best), &x, &grad_y, grad_x, grad_bias);
                });
            }
        }
    }
}

/// The sum over each column of the given gradients; for halves, of the gradients that were rounded to halves.
fn bias_gradient<T: Number>(expected: &Passes<'_, T>, grad_x: &[T], width: usize) -> Vec<Expected> {
    let of_column = |column: usize| {
        let places = (column..grad_x.len()).step_by(width);
        if T::IS_HALF {
            let sum: Big = places.clone().map(|i| expected.grads[i].exact()).sum();
            return Expected::of(sum, 0.5).within(places.map(|i| expected.grads[i].noise::<T>()).sum());
        }
        // (m u)^2 times the sum of magnitudes, for m rows.
        let (sum, size): (Big, Big) =
            (places.clone().map(|i| grad_x[i].big()).sum(), places.map(|i| grad_x[i].big().abs()).sum());
        let mu = Big::of((grad_x.len() / width) as f64) * T::eps().scaled(-1);
        Expected::of(sum, 0.5).within(if size.is_finite() { mu * mu * size } else { Big::ZERO })
    };
    (0..width).map(of_column).collect()
}

fn prelu<T: Number>(judge: &mut Judge) {
    for (case, (channels, inner, outer)) in Case::ALL
        .into_iter()
        .flat_map(|case| [(1, 1, 70), (5, 1, 13), (3, 7, 4), (40, 1, 3), (2, 45, 2)].map(|shape| (case, shape)))
    {
        let (channels, inner, outer) = if case == Case::One { (1, 1, 1) } else { (channels, inner, outer) };
        let mut bits = Bits(62);
        let x = bits.inputs::<T>(case, channels * inner * outer);
        // In the huge case the gradients are so small that no sum overflows.
        let size = if case == Case::Huge { 0.01 } else { 3.0 };
        let (grad_y, slopes) = (bits.numbers::<T>(x.len(), size), bits.numbers::<T>(channels, 1.0));
        let slope = |i: usize| slopes[i / inner % channels].big();
        let leaky = |i: usize| match x[i].big() {
            x if x.is_nan() => (x, x),
            x if Big::ZERO < x => (x, Big::ONE),
            x => (x * slope(i), slope(i)),
        };
        let exact: Vec<Pair> = (0..x.len()).map(leaky).collect();
        let expected = Passes::of(&x, &grad_y, &exact, (0.5, 0.0), (Big::ZERO, Big::ZERO));
        let of_channel = |channel: usize| {
            let terms =
                (0..x.len()).filter(|i| i / inner % channels == channel && (x[*i].is_nan() || x[*i] <= T::zero()));
            let terms: Vec<Big> = terms.map(|i| x[i].big() * grad_y[i].big()).collect();
            let size: Big = terms.iter().map(|term| term.abs()).sum();
            let noise = if size.is_finite() { T::eps().scaled(-1) * size } else { Big::ZERO };
            // A product below the normal range is off by half a spacing.
            let lost = T::spacing_of_computation(Big::ZERO) * Big::of(terms.len() as f64);
            Expected::of(terms.into_iter().sum(), 1.0).within(noise + lost)
        };
        let of_slopes: Vec<Expected> = (0..channels).map(of_channel).collect();
        let prelu = Prelu::new(&slopes).inner(inner);
        let shape = |level: &str| format!("{channels} channels of {inner} at {level}");
        expected.check(judge, ("Prelu", "", case), &shape("best"), &prelu);
        let mut check = |name: &str, place: &str, run: &dyn Fn(&mut [T], &mut [T])| {
            let (mut grad_x, mut grad_slopes) = (stale(x.len()), stale(channels));
            run(&mut grad_x, &mut grad_slopes);
            judge.slice((name, "", case), &shape(place), &x, &expected.grads, &grad_x);
            judge.slice((name, "", case), &shape(place), &slopes, &of_slopes, &grad_slopes);
        };
        check("Prelu::backward_with_slopes", "best", &|grad_x, grad_slopes| {
            prelu.backward_with_slopes(&x, &grad_y, grad_x, grad_slopes);
        });
        for level in Level::available() {
            check("At<Prelu>::backward_with_slopes", level.name(), &|grad_x, grad_slopes| {
                level.with(prelu).backward_with_slopes(&x, &grad_y, grad_x, grad_slopes);
            });
        }
        for level in Level::available() {
            expected.check(
                judge,
                ("Prelu", "", case),
                &shape(level.name()),
                &Leveled(level, &prelu as &dyn Activation<T>),
            );
        }
    }
}

fn rrelu<T: Number>(judge: &mut Judge) {
    for case in Case::ALL {
        let mut bits = Bits(63);
        let x = bits.inputs::<T>(case, 67);
        let (slopes, grad_y) = (bits.numbers::<T>(x.len(), 1.0), bits.numbers::<T>(x.len(), 3.0));
        let (mut values, mut grads) = (Vec::new(), Vec::new());
        for ((x, a), g) in big(&x).into_iter().zip(big(&slopes)).zip(big(&grad_y)) {
            let (value, slope) = if x.is_nan() {
                (x, x)
            } else if Big::ZERO < x {
                (x, Big::ONE)
            } else {
                (a * x, a)
            };
            values.push(Expected::of(value, 0.5));
            grads.push(Expected::of(slope * g, 0.5));
        }
        let rrelu = Rrelu::default();
        let (mut y, mut grad_x) = (stale(x.len()), stale(x.len()));
        rrelu.forward_training(&x, &slopes, &mut y);
        judge.slice(("Rrelu::forward_training", "", case), "best", &x, &values, &y);
        rrelu.backward_training(&x, &slopes, &grad_y, &mut grad_x);
        judge.slice(("Rrelu::backward_training", "", case), "best", &x, &grads, &grad_x);
        for level in Level::available() {
            let (mut y, mut grad_x) = (stale(x.len()), stale(x.len()));
            level.with(rrelu).forward_training(&x, &slopes, &mut y);
            judge.slice(("At<Rrelu>::forward_training", "", case), level.name(), &x, &values, &y);
            level.with(rrelu).backward_training(&x, &slopes, &grad_y, &mut grad_x);
            judge.slice(("At<Rrelu>::backward_training", "", case), level.name(), &x, &grads, &grad_x);
        }
    }
}

pub(crate) fn covered() -> Vec<String> {
    let training = ["forward_training", "backward_training"];
    [
        names(&["Biased", "At", "Prelu"], &METHODS),
        names(&["Biased", "At", "BiasGradient"], &["backward_with_bias", "run_with_bias"]),
        names(&["Prelu", "At<Prelu>"], &["backward_with_slopes"]),
        names(&["Rrelu", "At<Rrelu>"], &training),
    ]
    .concat()
}

#[test]
fn layers_are_within_their_bounds() {
    let mut judge = Judge::new("layers");
    for_each_type!(biased(&mut judge));
    for_each_type!(prelu(&mut judge));
    for_each_type!(rrelu(&mut judge));
    judge.finish(&covered());
}
