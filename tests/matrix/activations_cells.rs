//! Activations of single numbers, with all their passes.

use activations::{
    Activation, AnyActivation, Element, Elementwise, Elu, Fast, FromOutput, Level, Pass, Pieces, Real, Relu6, Sigmoid,
    Softplus, Tanh, math,
};

use crate::big::Big;
use crate::cases::{Bits, Case};
use crate::formulas::{Formula, Pair, swish};
use crate::judge::{Expected, Judge};
use crate::number::{Number, big, for_each_type, stale};

/// The expected results of a function's passes on the same inputs.
pub(crate) struct Passes<'a, T> {
    pub(crate) x: &'a [T],
    pub(crate) grad_y: &'a [T],
    pub(crate) values: Vec<Expected>,
    pub(crate) slopes: Vec<Expected>,
    pub(crate) grads: Vec<Expected>,
}

impl<'a, T: Number> Passes<'a, T> {
    /// For a function of single numbers, with its bounds.
    pub(crate) fn of(x: &'a [T], grad_y: &'a [T], exact: &[Pair], bounds: (f64, f64), floors: Pair) -> Self {
        let slope = |&(_, slope): &Pair| Expected::of(slope, bounds.1).floor(floors.1);
        Self {
            x,
            grad_y,
            values: exact.iter().map(|&(value, _)| Expected::of(value, bounds.0).floor(floors.0)).collect(),
            slopes: exact.iter().map(slope).collect(),
            grads: exact
                .iter()
                .zip(grad_y)
                .map(|(pair, g)| slope(&(pair.0, computed::<T>(pair.1))).times::<T>(g.big()))
                .collect(),
        }
    }

    /// For a fast form, whose errors are absolute. `tests/fast` tests its bounds; these are the loosest of them.
    fn of_fast(x: &'a [T], grad_y: &'a [T], exact: &[Pair]) -> Self {
        let near = |exact: Big, size: f64| Expected::of(exact, 0.5).any_zero().within(Big::of(size).scaled(-22));
        // From 128 on, values are limits, and these are exact.
        let size = |x: &T| x.wide().abs().clamp(1.0, 128.0);
        let values = exact.iter().zip(x).map(|(pair, x)| near(pair.0, size(x))).collect();
        let grads = exact.iter().zip(grad_y).map(|(pair, g)| near(pair.1, 1.0).times::<T>(g.big()).any_zero());
        let slopes = exact.iter().map(|pair| near(pair.1, 1.0)).collect();
        Self { x, grad_y, values, slopes, grads: grads.collect() }
    }

    /// Runs every pass. The cells belong to the type with this public name.
    pub(crate) fn check(
        &self,
        judge: &mut Judge,
        (name, what, case): (&str, &str, Case),
        place: &str,
        f: &dyn Activation<T>,
    ) {
        let Self { x, grad_y, values, slopes, grads } = self;
        let mut check = |method: &str, expected: &[Expected], got: &[T]| {
            judge.slice((&format!("{name}::{method}"), what, case), place, x, expected, got);
        };
        let new = || stale::<T>(x.len());

        let mut y = new();
        f.forward(x, &mut y);
        check("forward", values, &y);
        check("forward_vec", values, &f.forward_vec(x));
        let mut y = x.to_vec();
        f.forward_in_place(&mut y);
        check("forward_in_place", values, &y);
        let mut longer = vec![T::one()];
        f.forward_extend(x, &mut longer);
        check("forward_extend", values, &longer[1..]);

        let mut dydx = new();
        f.derivative(x, &mut dydx);
        check("derivative", slopes, &dydx);
        check("derivative_vec", slopes, &f.derivative_vec(x));
        let (mut y, mut dydx) = (new(), new());
        f.forward_with_derivative(x, &mut y, &mut dydx);
        check("forward_with_derivative", values, &y);
        check("forward_with_derivative", slopes, &dydx);

        let mut grad_x = new();
        f.backward(x, grad_y, &mut grad_x);
        check("backward", grads, &grad_x);
        check("backward_vec", grads, &f.backward_vec(x, grad_y));
    }
}

/// The number, or infinity if it is too great for the type in which the crate computes. Then its products are infinite too.
pub(crate) fn computed<T: Number>(x: Big) -> Big {
    let most = Big::ONE.scaled(T::GREATEST.max(127) + 1);
    let infinity = Big::of(f64::INFINITY);
    if most <= x {
        infinity
    } else if x <= -most {
        -infinity
    } else {
        x
    }
}

/// The methods of `Activation`, and of `FromOutput`.
pub(crate) const METHODS: [&str; 9] = [
    "forward",
    "forward_vec",
    "forward_in_place",
    "forward_extend",
    "derivative",
    "derivative_vec",
    "forward_with_derivative",
    "backward",
    "backward_vec",
];
pub(crate) const OUTPUT_METHODS: [&str; 3] = ["backward_from_output", "backward_from_output_vec", "run_from_output"];

/// The public names of these methods of these types.
pub(crate) fn names(types: &[&str], methods: &[&str]) -> Vec<String> {
    types.iter().flat_map(|name| methods.iter().map(move |method| format!("{name}::{method}"))).collect()
}

/// A function at a level, as `At` runs it. It is one type for all functions, so that tests compile once.
pub(crate) struct Leveled<'a, T>(pub(crate) Level, pub(crate) &'a dyn Activation<T>);

impl<T: Element> Activation<T> for Leveled<'_, T> {
    fn run(&self, _: Level, pass: Pass<'_, T>) {
        self.1.run(self.0, pass);
    }

    fn pieces(&self) -> Pieces {
        self.1.pieces()
    }
}

/// All activations, and some with other parameters, whose rounding adds half an ULP.
pub(crate) fn activations() -> Vec<(AnyActivation, f64)> {
    let others = [
        "leaky_relu(0.2)",
        "elu(0.7)",
        "celu(0.6)",
        "softplus(beta=2.5)",
        "swish(beta=-1.3)",
        "snake(a=3.1)",
        "squareplus(b=0.9)",
        "hard_tanh(-2.1, 2.7)",
        "hard_sigmoid(alpha=0.2)",
        "softshrink(0.3)",
        "hardshrink(0.3)",
        "threshold(0.3, 20.1)",
    ];
    let others = others.iter().map(|name| (name.parse().expect("an activation"), 0.5));
    AnyActivation::all().map(|activation| (activation, 0.0)).chain(others).collect()
}

fn has_fast_form(activation: &AnyActivation) -> bool {
    use AnyActivation::{Elu, Gelu, GeluTanh, Mish, QuickGelu, Sigmoid, Silu, Softplus, Swish, Tanh};
    matches!(
        activation,
        Elu(_)
            | Gelu(_)
            | GeluTanh(_)
            | Mish(_)
            | QuickGelu(_)
            | Sigmoid(_)
            | Silu(_)
            | Softplus(_)
            | Swish(_)
            | Tanh(_)
    )
}

const LEN: usize = 67;

fn passes<T: Number>(judge: &mut Judge) {
    for (number, (activation, more)) in activations().into_iter().enumerate() {
        let Some(formula) = Formula::of::<T>(&activation) else { continue };
        let error = activation.card().error;
        for case in Case::ALL {
            let mut bits = Bits(number as u64);
            let (x, grad_y) = (bits.inputs::<T>(case, LEN), bits.numbers::<T>(case.len(LEN), 3.0));
            let exact: Vec<Pair> = big(&x).into_iter().map(|x| formula.at(x)).collect();
            let expected = |level: Level| {
                let (value, slope) = T::bounds(&error, level.is_fused());
                Passes::of(
                    &x,
                    &grad_y,
                    &exact,
                    (value + more, slope + more),
                    (formula.value_floor(), formula.slope_floor()),
                )
            };
            let what = activation.to_string();
            let best = expected(Level::best());
            best.check(judge, ("AnyActivation", &what, case), "best level", &activation);
            let boxed: Box<dyn Activation<T>> = Box::new(activation);
            best.check(judge, ("Activation", &what, case), "best level, boxed", &*boxed);
            for level in Level::available() {
                expected(level).check(judge, ("At", &what, case), level.name(), &level.with(activation));
            }
            let fast = if has_fast_form(&activation) && T::TYPE != "f64" {
                Passes::of_fast(&x, &grad_y, &exact)
            } else {
                expected(Level::best())
            };
            fast.check(judge, ("Fast", &what, case), "best level", &Fast(activation));
            #[cfg(feature = "rayon")]
            {
                use activations::IntoParallel;
                let parallel = activation.parallel().with_min_len(16);
                best.check(judge, ("Parallel", &what, case), "threads", &parallel);
            }
        }
    }
}

/// A user's x sigmoid(1.702 x).
#[derive(Clone, Copy)]
struct User;

impl Elementwise for User {
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        x * math::sigmoid(x)
    }

    #[inline(always)]
    fn slope<R: Real>(&self, x: R) -> R {
        math::sigmoid(x) * (x * math::sigmoid(-x) + R::of(1.0))
    }
}

/// Where the user's formula reaches its limits. Elsewhere it is not at a limit.
fn users_formula<T: Number>(judge: &mut Judge) {
    for case in Case::ALL {
        let mut bits = Bits(99);
        let (x, grad_y) = (bits.inputs::<T>(case, LEN), bits.numbers::<T>(case.len(LEN), 3.0));
        // inf times 0, and results that are too small for a sigmoid that is not lifted.
        let x: Vec<T> = x.into_iter().map(|x| if x.wide() < -80.0 { T::of(-2.25) } else { x }).collect();
        let x: Vec<T> =
            x.into_iter().map(|x| if T::TYPE == "f16" && x.wide() < -8.0 { T::of(-2.25) } else { x }).collect();
        let exact: Vec<Pair> = big(&x)
            .into_iter()
            .map(|x| {
                if x.is_infinite() {
                    (x, Big::NAN)
                } else if x.is_nan() {
                    (x, x)
                } else {
                    swish(x, Big::ONE)
                }
            })
            .collect();
        // Sigmoid has 2.5 ULP (3.4 without fused multiply-add). A product may double that, and adds its roundings.
        let expected = Passes::of(&x, &grad_y, &exact, (7.5, 20.0), (Big::ZERO, Big::ONE.scaled(-1)));
        for level in Level::available() {
            expected.check(judge, ("F", "a user's formula", case), level.name(), &Leveled(level, &User));
        }
        expected.check(judge, ("F", "a user's formula", case), "best level", &User);
    }
}

/// Gradients from outputs. The outputs are any numbers that the function may give.
fn from_outputs<T: Number>(judge: &mut Judge) {
    for (number, (activation, _)) in activations().into_iter().enumerate() {
        let Some(formula) = Formula::of::<T>(&activation) else { continue };
        let Some(function) = activation.as_from_output::<T>() else { continue };
        let what = activation.to_string();
        for case in Case::ALL {
            let mut bits = Bits(1000 + number as u64);
            let (x, grad_y) = (bits.inputs::<T>(case, LEN), bits.numbers::<T>(case.len(LEN), 3.0));
            let y = activation.forward_vec(&x);
            let exact = |(y, g): (&T, &T)| {
                let (slope, noise) = formula.slope_of_output(y.big(), T::eps());
                Expected::of(slope, 4.0).within(noise).times::<T>(g.big())
            };
            let expected: Vec<Expected> = y.iter().zip(&grad_y).map(exact).collect();
            check_from_output(judge, ("FromOutput", &what, case), "best level", function, None, &y, &grad_y, &expected);
            for level in Level::available() {
                let cell = ("FromOutput", what.as_str(), case);
                check_from_output(judge, cell, level.name(), function, Some(level), &y, &grad_y, &expected);
            }
        }
    }
}

/// The same for some types directly, at levels, and on threads.
fn from_outputs_of_types<T: Number>(judge: &mut Judge) {
    macro_rules! each {
        ($($type:ident)*) => {$(
            let function = $type::default();
            let formula = Formula::of::<T>(&function.into()).expect("a function of single numbers");
            for case in Case::ALL {
                let mut bits = Bits(1100);
                let (x, grad_y) = (bits.inputs::<T>(case, LEN), bits.numbers::<T>(case.len(LEN), 3.0));
                let y = function.forward_vec(&x);
                let exact = |(y, g): (&T, &T)| {
                    let (slope, noise) = formula.slope_of_output(y.big(), T::eps());
                    Expected::of(slope, 4.0).within(noise).times::<T>(g.big())
                };
                let expected: Vec<Expected> = y.iter().zip(&grad_y).map(exact).collect();
                let mut check = |name: &str, f: &dyn FromOutput<T>| {
                    let cell = (name, stringify!($type), case);
                    check_from_output(judge, cell, name, f, None, &y, &grad_y, &expected);
                };
                check("F", &function);
                Level::available().for_each(|level| check("At", &level.with(function)));
                check("Fast", &Fast(function));
                #[cfg(feature = "rayon")]
                check("Parallel", &activations::IntoParallel::parallel(function).with_min_len(16));
            }
        )*};
    }
    each!(Sigmoid Tanh Elu Relu6 Softplus);
}

/// The gradient from the output, by all its methods.
#[expect(clippy::too_many_arguments)]
pub(crate) fn check_from_output<T: Number>(
    judge: &mut Judge,
    (name, what, case): (&str, &str, Case),
    place: &str,
    f: &dyn FromOutput<T>,
    level: Option<Level>,
    y: &[T],
    grad_y: &[T],
    expected: &[Expected],
) {
    let mut check = |method: &str, got: &[T]| {
        judge.slice((&format!("{name}::{method}"), what, case), place, y, expected, got);
    };
    let mut grad_x = stale::<T>(y.len());
    f.run_from_output(level.unwrap_or_else(Level::best), y, grad_y, &mut grad_x);
    check("run_from_output", &grad_x);
    if level.is_none() {
        let mut grad_x = stale::<T>(y.len());
        f.backward_from_output(y, grad_y, &mut grad_x);
        check("backward_from_output", &grad_x);
        check("backward_from_output_vec", &f.backward_from_output_vec(y, grad_y));
    }
}

/// The public names that this module covers.
pub(crate) fn covered() -> Vec<String> {
    let mut types = vec!["AnyActivation", "Activation", "At", "F", "Fast"];
    if cfg!(feature = "rayon") {
        types.push("Parallel");
    }
    [names(&types, &METHODS), names(&["FromOutput"], &OUTPUT_METHODS), names(&types[2..], &OUTPUT_METHODS)].concat()
}

#[test]
fn activations_are_within_their_bounds() {
    let mut judge = Judge::new("activations");
    for_each_type!(passes(&mut judge));
    for_each_type!(users_formula(&mut judge));
    for_each_type!(from_outputs(&mut judge));
    for_each_type!(from_outputs_of_types(&mut judge));
    judge.finish(&covered());
}
