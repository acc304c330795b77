//! The functions by the formulas of their entries, with hundreds of bits.

use activations::AnyActivation;

use crate::big::{Big, Setting};
use crate::entries::number::Number;
use crate::entries::{self, Entry, Visit};

/// Value or derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Value,
    Slope,
}

impl Part {
    pub(crate) const BOTH: [Self; 2] = [Self::Value, Self::Slope];

    /// This part of a `(value, slope)` pair.
    pub(crate) fn of<T>(self, (value, slope): (T, T)) -> T {
        match self {
            Self::Value => value,
            Self::Slope => slope,
        }
    }
}

/// Whether this program knows the function.
pub(crate) fn knows(activation: &AnyActivation) -> bool {
    !entries::is_of_rows(activation)
}

/// The part of a function at a number.
pub(crate) fn at<N: Number>(activation: &AnyActivation, part: Part, x: N) -> N {
    struct At<N>(Part, N);
    impl<N: Number> Visit for At<N> {
        type Out = N;

        fn visit<E: Entry>(self, function: &E) -> N {
            match self.0 {
                Part::Value => function.value_of(self.1),
                Part::Slope => function.slope_of(self.1),
            }
        }
    }
    entries::visit(activation, At(part, x)).expect("a function of one number")
}

/// The exact result at a finite x that is not 0, rounded to odd to `f64`.
pub(crate) fn exact(activation: &AnyActivation, part: Part, x: f64) -> f64 {
    Setting::of_exact(x).within(|| at(activation, part, Big::of(x)).to_odd())
}
