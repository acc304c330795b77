//! The errors of `f32` results at each x, of this crate and of the formula that people write without a library.

use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

use activations::{AnyActivation, Level};
use libm::{coshf, erff, expf, logf, tanhf};

use crate::chart::{Chart, Line, Size};
use crate::common::{Part, oracle, sweep, ulp};
use crate::curve::Curve;
use crate::functions::sheet;
use crate::svg::document;

/// The columns of a picture. Each shows the greatest error of its inputs.
const COLUMNS: u32 = 200;

/// How many inputs a column has, evenly spaced.
const INPUTS: u32 = 400;

/// Greater errors are drawn at the top. From 2^23 = 8e6 ULP no digit is right.
const MOST: f64 = 1e8;

/// Smaller errors are drawn at the bottom.
const LEAST: f64 = 0.1;

struct Case {
    name: &'static str,
    part: Part,
    x: (f32, f32),
    formula: &'static str,
    naive: fn(f32) -> f32,
}

impl Case {
    const fn value(name: &'static str, x: (f32, f32), formula: &'static str, naive: fn(f32) -> f32) -> Self {
        Self { name, part: Part::Value, x, formula, naive }
    }

    const fn slope(name: &'static str, x: (f32, f32), formula: &'static str, naive: fn(f32) -> f32) -> Self {
        Self { name, part: Part::Slope, x, formula, naive }
    }

    fn title(&self) -> String {
        match self.part {
            Part::Value => self.name.into(),
            Part::Slope => format!("{}, derivative", self.name),
        }
    }
}

/// The first eight are on the sheet.
const CASES: [Case; 14] = [
    Case::value("sigmoid", (-110.0, 20.0), "1 / (1 + exp(-x))", |x| 1.0 / (1.0 + expf(-x))),
    Case::slope("sigmoid", (-30.0, 30.0), "y (1 - y), y = 1 / (1 + exp(-x))", |x| {
        let y = 1.0 / (1.0 + expf(-x));
        y * (1.0 - y)
    }),
    Case::slope("tanh", (-12.0, 12.0), "1 - tanh(x)^2", |x| 1.0 - tanhf(x) * tanhf(x)),
    Case::value("gelu", (-15.0, 5.0), "0.5 x (1 + erf(x / sqrt 2))", |x| 0.5 * x * (1.0 + erff(x * FRAC_1_SQRT_2))),
    Case::value("gelu_tanh", (-12.0, 5.0), "0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))", |x| {
        0.5 * x * (1.0 + tanhf(FRAC_2_PI.sqrt() * (x + 0.044_715 * x * x * x)))
    }),
    Case::value("softplus", (-110.0, 110.0), "log(1 + exp(x))", |x| logf(1.0 + expf(x))),
    Case::value("mish", (-110.0, 110.0), "x tanh(log(1 + exp(x)))", |x| x * tanhf(logf(1.0 + expf(x)))),
    Case::value("tanhshrink", (-3.0, 3.0), "x - tanh(x)", |x| x - tanhf(x)),
    Case::value("tanh", (-12.0, 12.0), "(exp(x) - exp(-x)) / (exp(x) + exp(-x))", |x| {
        (expf(x) - expf(-x)) / (expf(x) + expf(-x))
    }),
    Case::value("silu", (-110.0, 20.0), "x / (1 + exp(-x))", |x| x / (1.0 + expf(-x))),
    Case::value("log_sigmoid", (-110.0, 110.0), "log(1 / (1 + exp(-x)))", |x| logf(1.0 / (1.0 + expf(-x)))),
    Case::value("log_cosh", (-3.0, 3.0), "log(cosh(x))", |x| logf(coshf(x))),
    Case::value("elu", (-0.5, 0.1), "x if x > 0, else exp(x) - 1", |x| if x > 0.0 { x } else { expf(x) - 1.0 }),
    Case::value("squareplus", (-5000.0, 800.0), "(x + sqrt(x^2 + 4)) / 2", |x| (x + (x * x + 4.0).sqrt()) / 2.0),
];

/// How many functions are on the sheet.
const ON_SHEET: usize = 8;

/// The name and the picture of each function.
pub(crate) fn each() -> impl Iterator<Item = (String, String)> {
    CASES.iter().map(|case| {
        let title = case.title();
        let label = format!("errors of {title} over x, in ULP");
        let picture = document(&label, Size::FULL, |area| chart(case).draw(area, Size::Full));
        (title.replace(", ", "_"), picture)
    })
}

/// The sheet with the first functions.
pub(crate) fn overview() -> String {
    let charts = CASES[..ON_SHEET].iter().map(chart).collect();
    let label = "errors of eight functions over x, in ULP: this crate's (blue) and those of plain formulas (orange)";
    sheet(label, 4, (207, 150), Size::Small, charts)
}

fn chart(case: &Case) -> Chart {
    let activation: AnyActivation = case.name.parse().expect("a name of the list");
    let level = Level::best();
    let ours = |x: &[f32], y: &mut [f32]| sweep::run(activation, level, case.part, x, y);
    let naive = |x: &[f32], y: &mut [f32]| y.iter_mut().zip(x).for_each(|(y, &x)| *y = (case.naive)(x));
    let bound = sweep::bound_f32(activation.card().error, level, case.part);
    let (from, to) = (f64::from(case.x.0), f64::from(case.x.1));
    let line = |label: &str, curve| Line { label: label.into(), curve, kinks: &[] };
    Chart {
        title: case.title(),
        subtitle: format!("greatest error in ULP, f32; naive: {}", case.formula),
        x: from..to,
        // The extremes count as inside, also on the edges.
        y: LEAST.log10() - 0.1..MOST.log10() + 0.3,
        y_label: |exponent| if exponent < 3.0 { 10.0_f64.powf(exponent).to_string() } else { format!("1e{exponent}") },
        lines: vec![
            line("ours", errors(case, &activation, &ours)),
            line("naive", errors(case, &activation, &naive)),
            line(&format!("bound: {bound}"), Curve::through(vec![(from, bound.log10()), (to, bound.log10())])),
        ],
    }
}

fn errors(case: &Case, activation: &AnyActivation, f: &dyn Fn(&[f32], &mut [f32])) -> Curve {
    let exact = oracle::of(activation, case.part).expect("each is a function of one number");
    let floor = case.part.floor(case.name);
    let width = (case.x.1 - case.x.0) / COLUMNS as f32;
    let mut y = vec![0.0; INPUTS as usize];
    let worst = |column: u32| {
        let left = case.x.0 + column as f32 * width;
        // An odd multiple of half a step: never at 0, where many formulas happen to be exact.
        let x: Vec<f32> = (0..INPUTS).map(|i| left + (i as f32 + 0.5) * width / INPUTS as f32).collect();
        f(&x, &mut y);
        let errors = x.iter().zip(&y).map(|(&x, &y)| ulp::error_f32(y, exact(f64::from(x)), floor));
        let worst = errors.fold(LEAST, f64::max).min(MOST);
        (f64::from(left + width / 2.0), worst.log10())
    };
    Curve::through((0..COLUMNS).map(worst).collect())
}
