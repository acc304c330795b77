//! The comparison: this crate with PyTorch, and both with exact arithmetic.

use core::fmt;

use half::bf16;

use crate::blocks::{Block, Parts};
use crate::model::Model;
use crate::number::Number;
use crate::reference::Reference;
use crate::slices::Slices;

/// Errors and bounds of a part, in roundings of the type: 1 is the greatest error that one rounding makes in the part's greatest number,
/// which is 2^-24 of that number for `f32` and 2^-8 for bf16.
#[derive(Clone, Copy, Debug, Default)]
pub struct Errors {
    /// The largest error.
    pub error: f64,
    /// The bound of the element with this error.
    pub bound: f64,
    /// The largest share of its bound that the error of any element takes. Above 1 the comparison fails.
    pub share: f64,
}

impl Errors {
    fn add(&mut self, error: f64, bound: f64, unit: f64) {
        // A hidden element is 0 on both sides, and has no bound.
        let share = if error == 0.0 { 0.0 } else { error / bound };
        // NaN exceeds every bound, and a bound that is NaN is exceeded.
        self.share = if share.is_nan() || !bound.is_finite() { f64::INFINITY } else { self.share.max(share) };
        let (error, bound) = (error / unit, bound / unit);
        let is_less = error < self.error || error == self.error && bound <= self.bound;
        if !is_less {
            (self.error, self.bound) = (error, bound);
        }
    }

    pub fn are_beyond(self) -> bool {
        self.share > 1.0
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:5.2} of {:5.2}, {:3.0} %", self.error, self.bound, 100.0 * self.share))
    }
}

/// A line of the table.
#[derive(Debug)]
pub struct Line {
    pub block: Block,
    pub part: &'static str,
    pub number: &'static str,
    /// Whether the whole block was computed, or only the function.
    pub from_weights: bool,
    /// This crate compared with PyTorch.
    pub difference: Errors,
    /// PyTorch compared with exact arithmetic.
    pub pytorch: Errors,
    /// This crate compared with exact arithmetic.
    pub this_crate: Errors,
}

impl Line {
    pub fn fails(&self) -> bool {
        [self.difference, self.pytorch, self.this_crate].iter().any(|errors| errors.are_beyond())
    }
}

/// All comparisons. The functions come first.
pub fn compare(reference: &Reference) -> Vec<Line> {
    let mut lines = Vec::new();
    for from_weights in [false, true] {
        for block in Block::ALL {
            of_type::<f32>(reference, block, from_weights, &mut lines);
            of_type::<bf16>(reference, block, from_weights, &mut lines);
        }
    }
    lines
}

fn of_type<T: Number>(reference: &Reference, block: Block, from_weights: bool, lines: &mut Vec<Line>) {
    let input = |part: &str| reference.part::<T>(block, part).to_vec();
    let [computed, by_crate, by_pytorch] = if from_weights {
        let slices = block.from_weights(&Slices::<T>::default());
        [slices, block.from_weights(&Model::this_crate::<T>()), block.from_weights(&Model::pytorch::<T>())]
    } else {
        let slices = block.from_inputs(&Slices::<T>::default(), input);
        [slices, block.from_inputs(&Model::this_crate::<T>(), input), block.from_inputs(&Model::pytorch::<T>(), input)]
    };
    let Parts(computed) = computed;
    for ((part, computed), ((_, by_crate), (_, by_pytorch))) in
        computed.into_iter().zip(by_crate.0.into_iter().zip(by_pytorch.0))
    {
        let pytorch = reference.part::<T>(block, part);
        assert_eq!(computed.len(), pytorch.len(), "{} {part}", block.name());
        assert_eq!((by_crate.len(), by_pytorch.len()), (pytorch.len(), pytorch.len()), "{} {part}", block.name());
        // The loss is `f32` for both types.
        let rounding = if part == "loss" && !from_weights { f32::UNIT } else { T::UNIT };
        let unit = rounding * by_crate.iter().map(|near| near.exact.abs()).fold(0.0, f64::max);
        let [mut difference, mut of_pytorch, mut of_crate] = [Errors::default(); 3];
        for (((computed, &pytorch), by_crate), by_pytorch) in
            computed.iter().zip(pytorch).zip(&by_crate).zip(&by_pytorch)
        {
            let computed = computed.exact;
            difference.add((computed - pytorch).abs(), by_crate.off + by_pytorch.off, unit);
            of_pytorch.add((pytorch - by_pytorch.exact).abs(), by_pytorch.off, unit);
            of_crate.add((computed - by_crate.exact).abs(), by_crate.off, unit);
        }
        lines.push(Line {
            block,
            part,
            number: T::NAME,
            from_weights,
            difference,
            pytorch: of_pytorch,
            this_crate: of_crate,
        });
    }
}
