//! Parameters of activations: named numbers, each with its allowed values, checked when an activation is made.

use core::fmt;

use crate::describe::error::ParameterError;

/// One parameter of an activation: its name, its default, and its allowed values.
///
/// ```
/// use activations::{Elu, Parameters};
///
/// let [alpha] = Elu::PARAMETERS else { unreachable!() };
/// assert_eq!((alpha.name, alpha.default), ("alpha", 1.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// The name, which is also the getter's: `negative_slope`.
    pub name: &'static str,
    /// The value in the function's `Default`.
    pub default: f64,
    /// The allowed values.
    pub allowed: Allowed,
}

/// The numbers that a parameter may be. NaN and infinities are never allowed.
///
/// ```
/// use activations::{Parameters, Softplus};
///
/// assert_eq!(Softplus::PARAMETERS[0].allowed.to_string(), "a finite number above 0");
/// assert!(Softplus::new(0.0).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Allowed {
    /// Any finite number.
    Finite,
    /// Finite and above 0.
    Positive,
    /// Finite and not below 0.
    NotNegative,
}

impl Allowed {
    const fn text(self) -> &'static str {
        match self {
            Self::Finite => "a finite number",
            Self::Positive => "a finite number above 0",
            Self::NotNegative => "a finite number, 0 or above",
        }
    }

    fn holds(self, given: f64) -> bool {
        given.is_finite()
            && match self {
                Self::Finite => true,
                Self::Positive => given > 0.0,
                Self::NotNegative => given >= 0.0,
            }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The parameters of a type, by number.
///
/// ```
/// use activations::{LeakyRelu, Parameters};
///
/// assert_eq!(LeakyRelu::PARAMETERS[0].name, "negative_slope");
/// let leaky = LeakyRelu::from_values(&[0.2])?;
/// assert_eq!(leaky.parameter(0), leaky.negative_slope());
/// # Ok::<(), activations::ParameterError>(())
/// ```
pub trait Parameters: Default {
    /// The parameters, in the order in which the constructor takes them.
    const PARAMETERS: &'static [Parameter] = &[];

    /// The value of parameter number `index`.
    ///
    /// # Panics
    /// If there is no such parameter.
    ///
    /// ```
    /// use activations::{Parameters, Snake};
    ///
    /// assert_eq!(Snake::new(2.0)?.parameter(0), 2.0);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    fn parameter(&self, index: usize) -> f64 {
        no_parameter(index)
    }

    /// The activation with these parameters, one value for each.
    ///
    /// # Errors
    /// If a value is not allowed.
    ///
    /// # Panics
    /// If there are fewer values than parameters.
    ///
    /// ```
    /// use activations::{HardTanh, Parameters};
    ///
    /// assert_eq!(HardTanh::from_values(&[-2.0, 2.0])?, HardTanh::new(-2.0, 2.0)?);
    /// # Ok::<(), activations::ParameterError>(())
    /// ```
    fn from_values(values: &[f64]) -> Result<Self, ParameterError> {
        let _ = values;
        Ok(Self::default())
    }
}

#[cold]
fn no_parameter(index: usize) -> ! {
    panic!("no parameter number {index}");
}

/// Returns `given` if it is allowed.
pub(crate) fn checked(
    activation: &'static str,
    parameter: &'static str,
    allowed: Allowed,
    given: f64,
) -> Result<f64, ParameterError> {
    if allowed.holds(given) {
        Ok(given)
    } else {
        Err(ParameterError::new(activation, parameter, given, allowed.text()))
    }
}

/// Gives a struct of `f64` fields a constructor that checks, getters, a default and [`Parameters`]. A type without fields gets
/// only [`Parameters`]. A condition between parameters may follow; the error then names the parameter that the condition names.
macro_rules! parameters {
    ($name:ident) => {
        impl $crate::describe::parameters::Parameters for $name {}
    };
    ($name:ident {
        $($(#[doc = $doc:literal])+ $field:ident: $allowed:ident = $default:expr,)+
    } $(where $condition:expr => $blamed:ident: $must_be:literal)?) => {
        impl $name {
            /// The function with these parameters:
            $(#[doc = concat!("\n- `", stringify!($field), "`:", $($doc),+)])+
            ///
            /// # Errors
            /// If a parameter is not allowed: see [`Parameters::PARAMETERS`](crate::Parameters::PARAMETERS).
            ///
            /// ```
            #[doc = concat!("use activations::", stringify!($name), ";")]
            ///
            #[doc = concat!("let f = ", stringify!($name), "::default();")]
            #[doc = concat!("assert_eq!(", stringify!($name), "::new(", $("f.", stringify!($field), "(), ",)+ ")?, f);")]
            #[doc = concat!("assert!(", stringify!($name), "::new(", $("f64::NAN * f.", stringify!($field), "(), ",)+ ").is_err());")]
            /// # Ok::<(), activations::ParameterError>(())
            /// ```
            pub fn new($($field: f64),+) -> Result<Self, $crate::describe::error::ParameterError> {
                const NAME: &str = <$name as $crate::describe::card::Described>::CARD.name;
                $(let $field = $crate::describe::parameters::checked(
                    NAME,
                    stringify!($field),
                    $crate::describe::parameters::Allowed::$allowed,
                    $field,
                )?;)+
                $(let holds = $condition;
                if !holds {
                    return Err($crate::describe::error::ParameterError::new(NAME, stringify!($blamed), $blamed, $must_be));
                })?
                Ok(Self { $($field),+ })
            }

            $(
                $(#[doc = $doc])+
                ///
                /// ```
                /// use activations::Parameters;
                ///
                #[doc = concat!("let f = activations::", stringify!($name), "::default();")]
                #[doc = concat!("assert!((0..).map(|i| f.parameter(i)).any(|value| value == f.", stringify!($field), "()));")]
                /// ```
                #[must_use]
                pub const fn $field(&self) -> f64 {
                    self.$field
                }
            )+
        }

        #[doc = concat!($("`", stringify!($field), "` = ", stringify!($default), ". "),+)]
        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),+ }
            }
        }

        impl $crate::describe::parameters::Parameters for $name {
            const PARAMETERS: &'static [$crate::describe::parameters::Parameter] = &[$($crate::describe::parameters::Parameter {
                name: stringify!($field),
                default: $default,
                allowed: $crate::describe::parameters::Allowed::$allowed,
            }),+];

            fn parameter(&self, index: usize) -> f64 {
                [$(self.$field),+][index]
            }

            fn from_values(values: &[f64]) -> Result<Self, $crate::describe::error::ParameterError> {
                let mut values = values.iter().copied();
                $(let $field = values.next().expect("a value for each parameter");)+
                Self::new($($field),+)
            }
        }
    };
}
pub(crate) use parameters;
