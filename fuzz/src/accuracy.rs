//! The stated bound in ULP, compared with the tests' reference.

use activations::{AnyActivation, Level};

use crate::common::sweep::{self, Report};
use crate::common::{Part, oracle};
use crate::input::Input;

pub(crate) fn run(mut input: Input<'_>) {
    let activation: AnyActivation = input.default_activation();
    let part = Part::BOTH[input.below(2)];
    let len = input.below(300);
    let x = input.floats::<f32>(len);
    if oracle::of(&activation, part).is_none() {
        return;
    }
    let levels: Vec<Level> = Level::available().collect();
    let mut reports = vec![Report::default(); levels.len()];
    sweep::over_f32(activation, part, &levels, &mut reports, x.into_iter());
    for (level, report) in levels.iter().zip(reports) {
        let bound = sweep::bound_f32(activation.card().error, *level, part);
        report.within(bound).unwrap_or_else(|e| panic!("{activation} {part:?} at {level}: {e}"));
    }
}
