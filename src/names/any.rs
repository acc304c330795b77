//! `AnyActivation`: an activation chosen at run time, by its name.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::fmt::{self, Write};

use crate::activation::Activation;
use crate::describe::card::{Card, Described};
use crate::describe::error::ParameterError;
use crate::describe::parameters::{Parameter, Parameters};
use crate::exact::{Definition, Exact};
use crate::from_output::FromOutput;
use crate::kernel::element::{Element, per_element};
use crate::kernel::level::Level;
#[cfg(feature = "rayon")]
use crate::layers::parallel::IntoParallel;
use crate::list::for_each_activation;
use crate::listed::*;
use crate::names::text::{Text, letters};
use crate::pass::{Pass, Pieces};
use crate::second::SecondDerivative;

macro_rules! any_activation {
    ($($folder:ident::$file:ident: $($name:ident),+;)+) => {
        /// Any activation of this crate.
        ///
        /// It is parsed from the names that PyTorch, Hugging Face configurations, ONNX, Keras, JAX and TensorFlow use. Case,
        /// `-`, `_` and spaces make no difference. A module may come first, as in `torch.nn.ReLU`. It selects that framework's
        /// defaults. Parameters may follow, by name or by position, as PyTorch prints them or ONNX names them. The guide has
        /// [examples of each](crate::guide::coming_from).
        ///
        /// A parameter that is left out has its default. If frameworks differ and no module is named, the default is PyTorch's:
        /// `HardSigmoid` has the slope 1/6. For ONNX's operator without attributes write `ai.onnx.HardSigmoid` or
        /// `HardSigmoid(alpha=0.2)`.
        ///
        /// The layout of rows is not a parameter: functions of rows take the whole slice as one row, and `dim` and `axis` are
        /// ignored. `Display` writes the canonical name and the parameters that differ from the defaults. Parsing that text gives
        /// the same activation.
        ///
        /// ```
        /// use activations::{Activation, AnyActivation, Gelu, GeluTanh, HardSigmoid};
        ///
        /// # fn main() -> Result<(), activations::ParseError> {
        /// let act: AnyActivation = "gelu_pytorch_tanh".parse()?;
        /// assert_eq!(act, AnyActivation::from(GeluTanh));
        /// assert_eq!(act.to_string(), "gelu_tanh");
        ///
        /// let mut y = [0.0_f32; 2];
        /// "GELU".parse::<AnyActivation>()?.forward(&[0.0, 9.0], &mut y);
        /// assert_eq!(y, [0.0, 9.0]);
        ///
        /// let leaky: AnyActivation = "LeakyReLU(negative_slope=0.2, inplace=True)".parse()?;
        /// assert_eq!(leaky, "leaky_relu(0.2)".parse()?);
        /// assert_eq!(leaky.to_string(), "leaky_relu(negative_slope=0.2)");
        /// assert_eq!(leaky.parameters().next(), Some(("negative_slope", 0.2)));
        ///
        /// let onnx: AnyActivation = "HardSigmoid(alpha=0.2)".parse()?;
        /// assert_eq!(onnx, HardSigmoid::onnx().into());
        /// assert_ne!(onnx, "HardSigmoid".parse()?);
        ///
        /// let keras: AnyActivation = "keras.layers.LeakyReLU()".parse()?;
        /// assert_eq!(keras.parameters().next(), Some(("negative_slope", 0.3)));
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
            /// All activations, with default parameters, in the order of the documentation.
            ///
            /// ```
            /// use activations::AnyActivation;
            ///
            /// for activation in AnyActivation::all() {
            ///     println!("{activation}: {}", activation.card().formula);
            /// }
            /// ```
            pub fn all() -> impl Iterator<Item = Self> {
                [$($(Self::$name($name::default()),)+)+].into_iter()
            }

            /// The facts about the function.
            ///
            /// ```
            /// use activations::AnyActivation;
            ///
            /// assert_eq!("swish".parse::<AnyActivation>()?.card().name, "swish");
            /// # Ok::<(), activations::ParseError>(())
            /// ```
            #[must_use]
            pub const fn card(&self) -> Card {
                match self {
                    $($(Self::$name(_) => <$name as Described>::CARD,)+)+
                }
            }

            /// The function's gradient from its output, if the output determines it.
            ///
            /// ```
            /// use activations::{AnyActivation, FromOutput, Gelu, Tanh};
            ///
            /// assert!(AnyActivation::from(Tanh).as_from_output::<f32>().is_some());
            /// assert!(AnyActivation::from(Gelu).as_from_output::<f32>().is_none());
            /// ```
            #[must_use]
            pub fn as_from_output<T: Element>(&self) -> Option<&dyn FromOutput<T>> {
                use probe::{Otherwise as _, WithOutput as _};
                match self {
                    $($(Self::$name(activation) => probe::Probe(activation).found(),)+)+
                }
            }

            /// The function's second derivative; `None` for functions of rows.
            ///
            /// ```
            /// use activations::{AnyActivation, SecondDerivative, Silu, Softmax};
            ///
            /// let silu = AnyActivation::from(Silu);
            /// let second = silu.as_second_derivative::<f32>().ok_or("silu has a second derivative")?;
            /// assert_eq!(second.second_derivative_vec(&[0.0]), [0.5]);
            /// assert!(AnyActivation::from(Softmax::default()).as_second_derivative::<f32>().is_none());
            /// # Ok::<(), &str>(())
            /// ```
            #[must_use]
            pub fn as_second_derivative<T: Element>(&self) -> Option<&dyn SecondDerivative<T>> {
                use probe::{Once as _, Twice as _};
                match self {
                    $($(Self::$name(activation) => probe::Probe(activation).twice(),)+)+
                }
            }

            /// The function, correctly rounded; `None` for functions of rows.
            ///
            /// ```
            /// use activations::{Activation, AnyActivation, Gelu, Softmax};
            ///
            /// let gelu = AnyActivation::from(Gelu);
            /// assert_eq!(gelu.as_exact().map(|exact| exact.forward_vec(&[-1.0_f32])), Some(vec![-0.158_655_26]));
            /// assert!(AnyActivation::from(Softmax::default()).as_exact().is_none());
            /// ```
            #[must_use]
            // The table of functions needs all loops of `f64`, which this crate compiles only with the feature `compiled`.
            #[cfg_attr(compiled_f64, inline(never))]
            #[cfg_attr(not(compiled_f64), inline)]
            pub fn as_exact(&self) -> Option<Exact<&dyn Definition>> {
                use probe::{NotDefined as _, WithDefinition as _};
                match self {
                    $($(Self::$name(activation) => probe::Probe(activation).defined(),)+)+
                }
                .map(Exact)
            }

            /// Names, defaults and allowed values of the parameters.
            ///
            /// ```
            /// use activations::{AnyActivation, Elu};
            ///
            /// let elu = AnyActivation::from(Elu::default());
            /// assert_eq!(elu.parameter_list()[0].name, "alpha");
            /// assert_eq!(elu.parameter_list()[0].default, 1.0);
            /// ```
            #[must_use]
            pub fn parameter_list(&self) -> &'static [Parameter] {
                match self {
                    $($(Self::$name(_) => $name::PARAMETERS,)+)+
                }
            }

            /// The canonical name. Programs that need only names do not contain the rest of the cards.
            pub(crate) fn name(&self) -> &'static str {
                match self {
                    $($(Self::$name(_) => const { <$name as Described>::CARD.name },)+)+
                }
            }

            fn aliases(&self) -> &'static [&'static str] {
                match self {
                    $($(Self::$name(_) => const { <$name as Described>::CARD.aliases },)+)+
                }
            }

            /// The value of parameter number `index`.
            pub(crate) fn parameter(&self, index: usize) -> f64 {
                match self {
                    $($(Self::$name(activation) => Parameters::parameter(activation, index),)+)+
                }
            }

            /// The same function with these parameters.
            pub(crate) fn with_values(&self, values: &[f64]) -> Result<Self, ParameterError> {
                match self {
                    $($(Self::$name(_) => $name::from_values(values).map(Self::$name),)+)+
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

        impl AnyActivation {
            fn run_pass<T: Element>(&self, (level, pass): (Level, Pass<'_, T>)) {
                match self {
                    $($(Self::$name(activation) => activation.run(level, pass),)+)+
                }
            }

            fn pieces_of<T: Element>(&self) -> Pieces {
                match self {
                    $($(Self::$name(activation) => Activation::<T>::pieces(activation),)+)+
                }
            }
        }

        impl FastForm<'_> {
            fn run_pass<T: Element>(&self, (level, pass): (Level, Pass<'_, T>)) {
                match self.0 {
                    $($(AnyActivation::$name(activation) => activation.run_fast(level, pass),)+)+
                }
            }
        }
    };
}
for_each_activation!(any_activation);

impl<T: Element> Activation<T> for AnyActivation {
    #[inline]
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        T::call(self, (level, pass));
    }

    #[inline]
    fn run_fast(&self, level: Level, pass: Pass<'_, T>) {
        T::call(&FastForm(self), (level, pass));
    }

    fn pieces(&self) -> Pieces {
        // The pieces do not depend on the type of elements.
        self.pieces_of::<f32>()
    }
}

/// The fast form of an activation.
struct FastForm<'a>(&'a AnyActivation);

per_element!(FastForm<'_>: Args<'a, T> = (Level, Pass<'a, T>), FastForm::run_pass);

per_element!(AnyActivation: Args<'a, T> = (Level, Pass<'a, T>), AnyActivation::run_pass);

impl AnyActivation {
    /// The parameters, each with its value.
    ///
    /// ```
    /// use activations::{AnyActivation, HardTanh};
    ///
    /// let activation = AnyActivation::from(HardTanh::new(-2.0, 3.0)?);
    /// assert!(activation.parameters().eq([("min", -2.0), ("max", 3.0)]));
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.parameter_list().iter().enumerate().map(|(i, parameter)| (parameter.name, self.parameter(i)))
    }

    /// The parameters whose values are not the defaults.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        let defaults = self.parameter_list().iter().map(|parameter| parameter.default);
        self.parameters().zip(defaults).filter(|((_, value), default)| value != default).map(|(changed, _)| changed)
    }

    /// The canonical name and its aliases.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        core::iter::once(self.name()).chain(self.aliases().iter().copied())
    }

    /// The activation whose name has these letters.
    pub(crate) fn by_letters(name: impl Iterator<Item = char> + Clone) -> Option<Self> {
        Self::all().find(|activation| activation.names().any(|known| letters(known).eq(name.clone())))
    }
}

/// Finds out whether a known type implements [`FromOutput`], [`SecondDerivative`] or [`Definition`]. A method of the type itself
/// takes precedence over a method of a reference to it, so the latter is the answer for types that do not implement the trait.
mod probe {
    use super::{Definition, Element, FromOutput, SecondDerivative};

    pub(super) struct Probe<'a, A>(pub(super) &'a A);

    pub(super) trait WithOutput<'a, T> {
        fn found(self) -> Option<&'a dyn FromOutput<T>>;
    }

    impl<'a, T: Element, A: FromOutput<T>> WithOutput<'a, T> for Probe<'a, A> {
        fn found(self) -> Option<&'a dyn FromOutput<T>> {
            Some(self.0)
        }
    }

    pub(super) trait Otherwise<'a, T> {
        fn found(self) -> Option<&'a dyn FromOutput<T>>;
    }

    impl<'a, T, A> Otherwise<'a, T> for &Probe<'a, A> {
        fn found(self) -> Option<&'a dyn FromOutput<T>> {
            None
        }
    }

    pub(super) trait Twice<'a, T> {
        fn twice(self) -> Option<&'a dyn SecondDerivative<T>>;
    }

    impl<'a, T: Element, A: SecondDerivative<T>> Twice<'a, T> for Probe<'a, A> {
        fn twice(self) -> Option<&'a dyn SecondDerivative<T>> {
            Some(self.0)
        }
    }

    pub(super) trait Once<'a, T> {
        fn twice(self) -> Option<&'a dyn SecondDerivative<T>>;
    }

    impl<'a, T, A> Once<'a, T> for &Probe<'a, A> {
        fn twice(self) -> Option<&'a dyn SecondDerivative<T>> {
            None
        }
    }

    pub(super) trait WithDefinition<'a> {
        fn defined(self) -> Option<&'a dyn Definition>;
    }

    impl<'a, A: Definition> WithDefinition<'a> for Probe<'a, A> {
        fn defined(self) -> Option<&'a dyn Definition> {
            Some(self.0)
        }
    }

    pub(super) trait NotDefined<'a> {
        fn defined(self) -> Option<&'a dyn Definition>;
    }

    impl<'a, A> NotDefined<'a> for &Probe<'a, A> {
        fn defined(self) -> Option<&'a dyn Definition> {
            None
        }
    }
}

impl fmt::Display for AnyActivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Text::<256>::of(self.name());
        let mut separator = "(";
        for (name, value) in self.changed() {
            write!(text, "{separator}{name}={value:?}")?;
            separator = ", ";
        }
        if separator != "(" {
            text.write_str(")")?;
        }
        f.pad(text.as_str())
    }
}

#[cfg(feature = "alloc")]
impl<T: Element> From<AnyActivation> for Box<dyn Activation<T>> {
    fn from(activation: AnyActivation) -> Self {
        Box::new(activation)
    }
}

/// Functions of rows are not formulas of one number, so each gets its own.
#[cfg(feature = "rayon")]
macro_rules! into_parallel {
    ($($folder:ident::$file:ident: $($name:ident),+;)+) => {
        $($(into_parallel!(@ $folder $name);)+)+
    };
    (@ rows $name:ident) => {
        impl IntoParallel for $name {}
    };
    (@ functions $name:ident) => {};
}
#[cfg(feature = "rayon")]
for_each_activation!(into_parallel);

#[cfg(feature = "rayon")]
impl IntoParallel for AnyActivation {}
