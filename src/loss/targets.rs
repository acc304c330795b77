//! The targets of a cross-entropy: a class for each row, or a distribution over the classes.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

/// The targets of a [`CrossEntropy`](crate::CrossEntropy): the class of each row, or a distribution over classes.
///
/// Slices, arrays and vectors of integers are classes, counted from 0. [`Targets::distributions`] makes targets of distributions.
///
/// ```
/// use activations::{CrossEntropy, Targets};
///
/// let (loss, logits) = (CrossEntropy::new(2)?, [0.0_f32, 3.0, 1.0, 1.0]);
/// let labels: Vec<u8> = vec![1, 0];
/// let one_hot = [0.0, 1.0, 1.0, 0.0];
/// assert_eq!(loss.loss(&logits, &labels), loss.loss(&logits, Targets::distributions(&one_hot)));
/// # Ok::<(), activations::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a, T> {
    pub(super) kind: Kind<'a, T>,
    pub(super) weights: Option<&'a [T]>,
}

/// The types that a [`CrossEntropy`](crate::CrossEntropy) takes as targets: slices, arrays and vectors of integers, which are
/// classes, and [`Targets`], with weights or distributions.
///
/// ```
/// use activations::{CrossEntropy, Element, IntoTargets};
///
/// fn loss_of_pairs<'a, T: Element>(logits: &[T], targets: impl IntoTargets<'a, T>) -> T {
///     CrossEntropy::new(2).unwrap().loss(logits, targets)
/// }
/// assert_eq!(loss_of_pairs(&[0.0_f64, 0.0], &[1_u8]), 2.0_f64.ln());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the targets of a cross-entropy",
    label = "neither classes, which are integers, nor `Targets`",
    note = "one-hot rows and probabilities are `Targets::distributions(&probabilities)`; classes are slices, arrays or vectors \
            of u8, u16, u32, u64, usize, i32 or i64"
)]
pub trait IntoTargets<'a, T> {
    /// The targets.
    fn into_targets(self) -> Targets<'a, T>;
}

impl<'a, T> IntoTargets<'a, T> for Targets<'a, T> {
    fn into_targets(self) -> Self {
        self
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<'a, T> {
    Classes(Classes<'a>),
    Distributions(&'a [T]),
}

impl<'a, T> Targets<'a, T> {
    /// Targets with a distribution over the classes for each row, one row after another. The numbers are from 0 to 1 and add up to
    /// 1. This is not checked.
    ///
    /// ```
    /// use activations::{CrossEntropy, Targets};
    ///
    /// let loss = CrossEntropy::new(2)?.loss(&[0.0_f64, 0.0], Targets::distributions(&[0.3, 0.7]));
    /// assert!((loss - 2.0_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[must_use]
    pub const fn distributions(distributions: &'a [T]) -> Self {
        Self { kind: Kind::Distributions(distributions), weights: None }
    }

    /// Adds a weight for each class, which multiplies the class's term of the loss. As in PyTorch, the mean over rows with classes is
    /// then the sum of losses divided by the sum of the rows' weights. The mean over distributions is divided by the number of rows.
    ///
    /// ```
    /// use activations::{CrossEntropy, Targets};
    ///
    /// // A rare class weighs three times as much: (1 * 100 + 3 * 0) / (1 + 3).
    /// let (logits, classes) = ([0.0_f64, 100.0, 0.0, 100.0], [0, 1]);
    /// let loss = CrossEntropy::new(2)?.loss(&logits, Targets::from(&classes).weighted(&[1.0, 3.0]));
    /// assert_eq!(loss, 25.0);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    #[must_use]
    pub const fn weighted(self, weights: &'a [T]) -> Self {
        Self { weights: Some(weights), ..self }
    }
}

/// For threads: the targets of some rows.
#[cfg(feature = "rayon")]
impl<'a, T> Targets<'a, T> {
    /// The targets of the first `rows` rows, and of the others.
    pub(super) fn split_at(self, rows: usize, classes: usize) -> (Self, Self) {
        let weights = self.weights;
        let (first, second) = match self.kind {
            Kind::Classes(of_rows) => {
                let (first, second) = of_rows.split_at(rows);
                (Kind::Classes(first), Kind::Classes(second))
            }
            Kind::Distributions(t) => {
                let (first, second) = t.split_at(rows * classes);
                (Kind::Distributions(first), Kind::Distributions(second))
            }
        };
        (Self { kind: first, weights }, Self { kind: second, weights })
    }
}

macro_rules! classes {
    ($($variant:ident($integer:ident)),*) => {
        /// The classes of rows, as any type of integer.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Classes<'a> {
            $($variant(&'a [$integer]),)*
        }

        #[cfg(feature = "rayon")]
        impl Classes<'_> {
            fn split_at(self, rows: usize) -> (Self, Self) {
                match self {
                    $(Self::$variant(classes) => {
                        let (first, second) = classes.split_at(rows);
                        (Self::$variant(first), Self::$variant(second))
                    })*
                }
            }
        }

        impl Classes<'_> {
            pub(super) fn len(self) -> usize {
                match self {
                    $(Self::$variant(classes) => classes.len(),)*
                }
            }

            /// Copies the classes of some rows, from number `at` on. One that no `i64` holds becomes the greatest `i64`.
            pub(super) fn copy_to(self, at: usize, to: &mut [i64]) {
                match self {
                    $(Self::$variant(classes) => {
                        for (to, &class) in to.iter_mut().zip(&classes[at..]) {
                            *to = i64::try_from(class).unwrap_or(i64::MAX);
                        }
                    })*
                }
            }

        }

        $(impl<'a, T> From<&'a [$integer]> for Targets<'a, T> {
            fn from(classes: &'a [$integer]) -> Self {
                Self { kind: Kind::Classes(Classes::$variant(classes)), weights: None }
            }
        }

        impl<'a, T> IntoTargets<'a, T> for &'a [$integer] {
            fn into_targets(self) -> Targets<'a, T> {
                Targets::from(self)
            }
        }

        impl<'a, T, const N: usize> IntoTargets<'a, T> for &'a [$integer; N] {
            fn into_targets(self) -> Targets<'a, T> {
                Targets::from(self)
            }
        }

        #[cfg(feature = "alloc")]
        impl<'a, T> IntoTargets<'a, T> for &'a Vec<$integer> {
            fn into_targets(self) -> Targets<'a, T> {
                Targets::from(self)
            }
        }

        impl<'a, T, const N: usize> From<&'a [$integer; N]> for Targets<'a, T> {
            fn from(classes: &'a [$integer; N]) -> Self {
                Self::from(classes.as_slice())
            }
        }

        #[cfg(feature = "alloc")]
        impl<'a, T> From<&'a Vec<$integer>> for Targets<'a, T> {
            fn from(classes: &'a Vec<$integer>) -> Self {
                Self::from(classes.as_slice())
            }
        })*
    };
}
classes!(U8(u8), U16(u16), U32(u32), U64(u64), Usize(usize), I32(i32), I64(i64));

// Not generic: compiled here, also in a user's debug build.
impl Classes<'_> {
    /// Calls `f` with the number of the first of some rows, and with their classes.
    pub(super) fn by_parts(self, f: &mut dyn FnMut(usize, &[i64])) {
        let mut part = [0; 64];
        for at in (0..self.len()).step_by(part.len()) {
            let part = &mut part[..(self.len() - at).min(64)];
            self.copy_to(at, part);
            f(at, part);
        }
    }

    /// The first row whose class is none of so many and is not ignored, and its class.
    pub(super) fn first_unknown(self, classes: usize, ignore_index: i64) -> Option<(usize, i64)> {
        let mut first = None;
        self.by_parts(&mut |at, part| {
            let known = |class: i64| class == ignore_index || usize::try_from(class).is_ok_and(|class| class < classes);
            if let Some(row) = part.iter().position(|&class| !known(class)) {
                first.get_or_insert((at + row, part[row]));
            }
        });
        first
    }

    /// How many rows are not ignored.
    pub(super) fn count(self, ignore_index: i64) -> usize {
        let mut count = 0;
        self.by_parts(&mut |_, part| count += part.iter().filter(|&&class| class != ignore_index).count());
        count
    }
}
