//! Sweeps: the worst error over many inputs.

use activations::{Activation, AnyActivation, Element, ErrorBounds, Level};

use super::table::{self, Line};
use super::{Part, oracle, ulp};

/// The findings of a sweep.
#[derive(Clone, Copy, Debug)]
pub struct Report<T> {
    pub worst: f64,
    pub at: T,
    pub got: T,
    pub exact: f64,
    pub inputs: u64,
    pub correctly_rounded: u64,
}

impl<T: Element> Default for Report<T> {
    fn default() -> Self {
        Self { worst: 0.0, at: T::zero(), got: T::zero(), exact: 0.0, inputs: 0, correctly_rounded: 0 }
    }
}

impl<T: Element> Report<T> {
    fn add(&mut self, at: T, got: T, exact: f64, rounds_to: T, error: f64) {
        self.count(1, u64::from(is_rounded(got, rounds_to)));
        self.judge(at, got, exact, error);
    }

    pub fn count(&mut self, inputs: u64, correctly_rounded: u64) {
        self.inputs += inputs;
        self.correctly_rounded += correctly_rounded;
    }

    /// Keeps the worst error.
    pub fn judge(&mut self, at: T, got: T, exact: f64, error: f64) {
        // An error of NaN must not pass.
        if error > self.worst || error.is_nan() {
            (self.worst, self.at, self.got, self.exact) = (error, at, got, exact);
        }
    }

    pub fn merge(self, other: Self) -> Self {
        let (inputs, correctly_rounded) =
            (self.inputs + other.inputs, self.correctly_rounded + other.correctly_rounded);
        let worse = if other.worst > self.worst || other.worst.is_nan() { other } else { self };
        Self { inputs, correctly_rounded, ..worse }
    }

    /// An error with a message if the worst error is over the bound.
    pub fn within(&self, bound: f64) -> Result<(), String> {
        let Self { worst, at, got, exact, .. } = self;
        // An error of NaN is over the bound too.
        if *worst <= bound {
            return Ok(());
        }
        Err(format!("{worst:.3} ULP at {at:?}, bound {bound}: expected {exact:e}, got {got:?}"))
    }

    /// The share of correctly rounded results, in percent.
    pub fn share(&self) -> f64 {
        100.0 * self.correctly_rounded as f64 / self.inputs as f64
    }
}

/// Whether a result is correctly rounded.
#[inline(always)]
pub fn is_rounded<T: Element>(got: T, rounds_to: T) -> bool {
    (got == rounds_to) | (got.is_nan() & rounds_to.is_nan())
}

/// The stated bound for `f32` at a level.
pub fn bound_f32(bounds: ErrorBounds, level: Level, part: Part) -> f64 {
    part.of(if level.is_fused() { bounds.f32 } else { bounds.f32_plain })
}

/// The stated bound for `f64` at a level.
pub fn bound_f64(bounds: ErrorBounds, level: Level, part: Part) -> f64 {
    part.of(if level.is_fused() { bounds.f64 } else { bounds.f64_plain })
}

pub fn run<T: Element>(activation: AnyActivation, level: Level, part: Part, x: &[T], y: &mut [T]) {
    match part {
        Part::Value => level.with(activation).forward(x, y),
        Part::Slope => level.with(activation).derivative(x, y),
    }
}

/// Adds the errors on these inputs to the report of each level. The inputs go through as slices of up to 64 K, so that the vector
/// loop is measured.
pub fn over_f32(
    activation: AnyActivation,
    part: Part,
    levels: &[Level],
    reports: &mut [Report<f32>],
    inputs: impl Iterator<Item = f32>,
) {
    let Some(exact) = oracle::of(&activation, part) else { return };
    let floor = part.floor(activation.card().name);
    measure_f32(|level, x, y| run(activation, level, part, x, y), exact, floor, levels, reports, inputs);
}

/// The same for any function, which `run` computes.
pub fn measure_f32(
    run: impl Fn(Level, &[f32], &mut [f32]),
    exact: impl Fn(f64) -> f64,
    floor: f64,
    levels: &[Level],
    reports: &mut [Report<f32>],
    inputs: impl Iterator<Item = f32>,
) {
    let mut inputs = inputs.peekable();
    let (mut x, mut y, mut exacts) = (Vec::new(), Vec::new(), Vec::new());
    while inputs.peek().is_some() {
        x.clear();
        x.extend(inputs.by_ref().take(1 << 16));
        y.resize(x.len(), 0.0);
        exacts.clear();
        exacts.extend(x.iter().map(|&x| exact(f64::from(x))));
        for (level, report) in levels.iter().zip(&mut *reports) {
            run(*level, &x, &mut y);
            for ((&x, &got), &exact) in x.iter().zip(&y).zip(&exacts) {
                report.add(x, got, exact, exact as f32, ulp::error_f32(got, exact, floor));
            }
        }
    }
}

/// The errors on the committed table; `None` if there is no table.
pub fn over_table(activation: AnyActivation, part: Part, level: Level) -> Option<Report<f64>> {
    let name = activation.card().name;
    let lines = table::of(name)?;
    Some(measure_table(|x, y| run(activation, level, part, x, y), &lines, part, part.floor(name)))
}

/// The same for any function. `run` computes it, and the table has its exact values under `part`.
pub fn measure_table(run: impl FnOnce(&[f64], &mut [f64]), lines: &[Line], part: Part, floor: f64) -> Report<f64> {
    let x: Vec<f64> = lines.iter().map(|line| line.x).collect();
    let mut y = vec![0.0; x.len()];
    run(&x, &mut y);
    let mut report = Report::default();
    for (line, got) in lines.iter().zip(y) {
        let exact = line.exact(part);
        report.add(line.x, got, exact.0, exact.0, ulp::error_f64(got, exact, floor));
    }
    report
}

/// Every `stride`th bit pattern of `f32`, in a range of them.
pub fn patterns(range: std::ops::Range<u64>, stride: u64) -> impl Iterator<Item = f32> {
    range.step_by(stride as usize).map(|bits| f32::from_bits(bits as u32))
}
