//! `AnyActivation`: an activation chosen at run time, by its name.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::fmt;
use core::str::FromStr;

use crate::activation::{Activation, Pass};
use crate::card::{Card, Described};
use crate::dispatch::Level;
use crate::element::Element;
use crate::functions::*;

macro_rules! any_activation {
    ($($file:ident: $($name:ident),+;)+) => {
        /// Any activation of this crate.
        ///
        /// Parses from the names that PyTorch, Hugging Face configurations, ONNX and Keras use; case, `-`, `_` and
        /// spaces make no difference. Parameters have their defaults. `Display` gives the canonical name, which
        /// parses back.
        ///
        /// ```
        /// use activations::{Activation, AnyActivation, Gelu, GeluTanh};
        ///
        /// # fn main() -> Result<(), activations::UnknownName> {
        /// let act: AnyActivation = "gelu_pytorch_tanh".parse()?;
        /// assert_eq!(act, AnyActivation::from(GeluTanh));
        /// assert_eq!(act.to_string(), "gelu_tanh");
        ///
        /// let mut y = [0.0_f32; 2];
        /// "GELU".parse::<AnyActivation>()?.forward(&[0.0, 9.0], &mut y);
        /// assert_eq!(y, [0.0, 9.0]);
        ///
        /// let unknown = "gleu".parse::<AnyActivation>().unwrap_err();
        /// assert!(unknown.to_string().contains("did you mean `gelu`?"));
        /// # Ok(())
        /// # }
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum AnyActivation {
            $($(
                #[doc = concat!("[`", stringify!($name), "`]")]
                $name($name),
            )+)+
        }

        impl AnyActivation {
            /// All of them, with default parameters, in the order of the documentation.
            pub fn all() -> impl Iterator<Item = Self> {
                [$($(Self::$name($name::default()),)+)+].into_iter()
            }

            /// What is known of the function.
            #[must_use]
            pub const fn card(&self) -> Card {
                match self {
                    $($(Self::$name(_) => <$name as Described>::CARD,)+)+
                }
            }
        }

        $($(
            impl From<$name> for AnyActivation {
                fn from(activation: $name) -> Self {
                    Self::$name(activation)
                }
            }
        )+)+

        impl<T: Element> Activation<T> for AnyActivation {
            fn run(&self, level: Level, pass: Pass<'_, T>) {
                match self {
                    $($(Self::$name(activation) => activation.run(level, pass),)+)+
                }
            }

            fn row_len(&self) -> Option<usize> {
                match self {
                    $($(Self::$name(activation) => Activation::<T>::row_len(activation),)+)+
                }
            }
        }
    };
}
for_each_activation!(any_activation);

impl fmt::Display for AnyActivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.card().name)
    }
}

#[cfg(feature = "alloc")]
impl<T: Element> From<AnyActivation> for Box<dyn Activation<T>> {
    fn from(activation: AnyActivation) -> Self {
        Box::new(activation)
    }
}

impl FromStr for AnyActivation {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::all()
            .find(|activation| names(activation.card()).any(|known| letters(known).eq(letters(name))))
            .ok_or_else(|| UnknownName::new(name))
    }
}

/// The canonical name and its aliases.
fn names(card: Card) -> impl Iterator<Item = &'static str> {
    core::iter::once(card.name).chain(card.aliases.iter().copied())
}

/// The characters of a name that count.
fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).map(|c| c.to_ascii_lowercase())
}

/// A name that is no activation's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// What was given, cut at `GIVEN` bytes: there may be no allocator.
    given: [u8; Self::GIVEN],
    len: usize,
    nearest: Option<&'static str>,
}

impl UnknownName {
    const GIVEN: usize = 48;

    fn new(name: &str) -> Self {
        let len = (0..=name.len().min(Self::GIVEN)).rev().find(|&i| name.is_char_boundary(i)).unwrap_or(0);
        let mut given = [0; Self::GIVEN];
        given[..len].copy_from_slice(&name.as_bytes()[..len]);
        let nearest = AnyActivation::all()
            .flat_map(|activation| names(activation.card()))
            .map(|known| (distance(known, name), known))
            .filter(|&(distance, known)| distance <= 1 + known.len() / 4)
            .min_by_key(|&(distance, _)| distance)
            .map(|(_, known)| known);
        Self { given, len, nearest }
    }

    /// The known name nearest to the one given, if one is near.
    #[must_use]
    pub const fn nearest(&self) -> Option<&'static str> {
        self.nearest
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = core::str::from_utf8(&self.given[..self.len]).unwrap_or_default();
        write!(f, "unknown activation `{given}`")?;
        if let Some(nearest) = self.nearest {
            write!(f, "; did you mean `{nearest}`?")?;
        } else {
            f.write_str(".")?;
        }
        f.write_str(" Known names: ")?;
        for (i, activation) in AnyActivation::all().enumerate() {
            write!(f, "{}{activation}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl core::error::Error for UnknownName {}

/// Edits that make one name of the other: a letter put in, left out, changed, or swapped with its neighbour.
fn distance(a: &str, b: &str) -> usize {
    // One row of the dynamic programme for each letter of b, as long as the longest known name.
    const LONGEST: usize = 32;
    let len = letters(a).count().min(LONGEST);
    let mut before = [0; LONGEST + 1];
    let mut previous: [usize; LONGEST + 1] = core::array::from_fn(|i| i);
    let mut last_b = None;
    for (j, b) in letters(b).enumerate() {
        let mut row = [j + 1; LONGEST + 1];
        let mut last_a = None;
        for (i, a) in letters(a).take(len).enumerate() {
            let change = previous[i] + usize::from(a != b);
            row[i + 1] = change.min(previous[i + 1] + 1).min(row[i] + 1);
            if last_a == Some(b) && last_b == Some(a) {
                row[i + 1] = row[i + 1].min(before[i - 1] + 1);
            }
            last_a = Some(a);
        }
        (before, previous, last_b) = (previous, row, Some(b));
    }
    previous[len]
}
