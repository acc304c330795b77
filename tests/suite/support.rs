//! Shared by the tests of this program: floats of either type as bits, all outputs of a function at once, useful inputs.

use std::fmt;
use std::sync::LazyLock;

use activations::*;
use list::for_each_activation;

/// THE list. The entries have it too, but not every program that has this file has entries.
#[allow(clippy::duplicate_mod, reason = "a file of macros")]
#[path = "../../src/list.rs"]
mod list;

/// A float with its bits, and what else the tests need besides [`Element`].
pub(crate) trait Float: Element<Float = Self> + fmt::Display + fmt::LowerExp {
    const TYPE: &'static str;
    const WIDTH: u32;
    /// The spacing at 1.
    const EPS: f64;
    /// The least subnormal number.
    const TINY: f64;

    fn bits(self) -> u64;
    /// Makes a float of the low bits.
    fn of_bits(bits: u64) -> Self;
    /// Rounded to the type.
    fn of(x: f64) -> Self;
    fn wide(self) -> f64;
    fn up(self) -> Self;
    /// `(value, derivative)` of the card's bounds.
    fn bounds(error: &ErrorBounds, fused: bool) -> (f64, f64);

    /// The spacing of the type at this magnitude.
    fn spacing(self) -> f64 {
        let a = Self::of(self.wide().abs());
        if a.is_infinite() || a == Self::max_value() {
            Self::of_bits(a.bits() - 2).spacing()
        } else {
            a.up().wide() - a.wide()
        }
    }

    /// NaNs with the quiet bit, of both signs, with various payloads.
    fn quiet_nans() -> Vec<Self> {
        let infinity = Self::infinity().bits();
        let mantissa = (1_u64 << infinity.trailing_zeros()) - 1;
        let quiet = mantissa ^ (mantissa >> 1);
        let sign = 1 << (Self::WIDTH - 1);
        let payloads = [0, 1, mantissa, 0x5555_5555_5555_5555, 0xdead_beef, quiet >> 1];
        payloads.iter().flat_map(|p| [0, sign].map(|s| Self::of_bits(infinity | quiet | (p & mantissa) | s))).collect()
    }
}

macro_rules! float {
    ($float:ident, $bits:ident, $tiny:expr, $fused:ident, $plain:ident) => {
        impl Float for $float {
            const TYPE: &'static str = stringify!($float);
            const WIDTH: u32 = $bits::BITS;
            const EPS: f64 = $float::EPSILON as f64;
            const TINY: f64 = $tiny;

            fn bits(self) -> u64 {
                u64::from(self.to_bits())
            }

            fn of_bits(bits: u64) -> Self {
                $float::from_bits((bits & u64::from($bits::MAX)) as $bits)
            }

            fn of(x: f64) -> Self {
                x as $float
            }

            fn wide(self) -> f64 {
                f64::from(self)
            }

            fn up(self) -> Self {
                self.next_up()
            }

            fn bounds(error: &ErrorBounds, fused: bool) -> (f64, f64) {
                if fused { error.$fused } else { error.$plain }
            }
        }
    };
}
float!(f32, u32, 1.401_298_464_324_817e-45, f32, f32_plain);
float!(f64, u64, 5e-324, f64, f64_plain);

/// Decimal and bits, for messages.
pub(crate) fn show<T: Float>(x: T) -> String {
    format!("{x:e} ({:#0width$x})", x.bits(), width = T::WIDTH as usize / 4 + 2)
}

/// Whether both have the same bits. Any two NaNs are equal.
pub(crate) fn same<T: Float>(a: T, b: T) -> bool {
    a.bits() == b.bits() || (a.is_nan() && b.is_nan())
}

/// How many floats lie from `a` to `b`, where the two zeros are neighbours: 0 for the same bits, the greatest number if one is NaN.
pub(crate) fn ulps<T: Float>(a: T, b: T) -> u64 {
    if a.is_nan() || b.is_nan() {
        return if a.is_nan() && b.is_nan() { 0 } else { u64::MAX };
    }
    let place = |x: T| {
        let sign = 1_i128 << (T::WIDTH - 1);
        let bits = i128::from(x.bits());
        if bits < sign { bits } else { sign - 1 - bits }
    };
    place(a).abs_diff(place(b)) as u64
}

/// Panics unless each element has the same bits as the one expected.
#[track_caller]
pub(crate) fn assert_same<T: Float>(what: &str, x: &[T], expected: &[T], got: &[T]) {
    assert_eq!(expected.len(), got.len(), "{what}: number of elements");
    for (i, (&e, &g)) in expected.iter().zip(got).enumerate() {
        if !same(e, g) {
            let x = x.get(i).map_or_else(String::new, |&x| show(x));
            panic!(
                "{what} {}: element {i}, x = {x}: expected {}, got {}, {} ULP",
                T::TYPE,
                show(e),
                show(g),
                ulps(e, g)
            );
        }
    }
}

/// The results of all methods of a function for the same inputs.
pub(crate) struct Outputs<T> {
    pub(crate) forward: Vec<T>,
    pub(crate) in_place: Vec<T>,
    pub(crate) derivative: Vec<T>,
    /// The values and the derivatives of `forward_with_derivative`.
    pub(crate) both: (Vec<T>, Vec<T>),
    pub(crate) backward: Vec<T>,
}

impl<T: Element> Outputs<T> {
    pub(crate) fn of(activation: &impl Activation<T>, x: &[T], grad_y: &[T]) -> Self {
        let mut outputs = Self::stale(x);
        activation.forward(x, &mut outputs.forward);
        activation.forward_in_place(&mut outputs.in_place);
        activation.derivative(x, &mut outputs.derivative);
        activation.forward_with_derivative(x, &mut outputs.both.0, &mut outputs.both.1);
        activation.backward(x, grad_y, &mut outputs.backward);
        outputs
    }

    /// The buffers. Their previous contents must not matter.
    #[inline(never)]
    fn stale(x: &[T]) -> Self {
        let stale = || vec![T::nan(); x.len()];
        Self {
            forward: stale(),
            in_place: x.to_vec(),
            derivative: stale(),
            both: (stale(), stale()),
            backward: stale(),
        }
    }

    /// Each output with the name of its method.
    pub(crate) fn named(&self) -> [(&'static str, &[T]); 6] {
        [
            ("forward", &self.forward),
            ("forward_in_place", &self.in_place),
            ("derivative", &self.derivative),
            ("forward_with_derivative, value", &self.both.0),
            ("forward_with_derivative, derivative", &self.both.1),
            ("backward", &self.backward),
        ]
    }

    /// Each output that is a value of the function.
    pub(crate) fn values(&self) -> [(&'static str, &[T]); 3] {
        let [forward, in_place, _, both, ..] = self.named();
        [forward, in_place, both]
    }

    /// Each output that is a derivative.
    pub(crate) fn derivatives(&self) -> [(&'static str, &[T]); 2] {
        let [_, _, derivative, _, both, _] = self.named();
        [derivative, both]
    }
}

/// The sum, with the rounding errors of its additions (Neumaier, ZAMM 54, 1974), so that a test adds no error of its own.
pub(crate) fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let (sum, lost) = terms.fold((0.0_f64, 0.0), |(sum, lost), term| {
        let (large, small) = if sum.abs() > term.abs() { (sum, term) } else { (term, sum) };
        (sum + term, lost + (large - (sum + term) + small))
    });
    sum + lost
}

/// f(x).
pub(crate) fn value<T: Float>(activation: &impl Activation<T>, x: T) -> T {
    let mut y = [T::nan()];
    activation.forward(&[x], &mut y);
    y[0]
}

/// f'(x).
pub(crate) fn slope<T: Float>(activation: &impl Activation<T>, x: T) -> T {
    let mut dydx = [T::nan()];
    activation.derivative(&[x], &mut dydx);
    dydx[0]
}

/// Whether the elements are independent. Otherwise the elements of a row depend on one another.
pub(crate) fn is_elementwise(activation: &AnyActivation) -> bool {
    let mut y = [f64::NAN; 2];
    activation.forward(&[0.0; 2], &mut y);
    let alone = value(activation, 0.0_f64).to_bits();
    y.iter().all(|y| y.to_bits() == alone)
}

/// The levels of this machine, and the portable one if all others have fused multiply-add.
pub(crate) fn levels() -> impl Iterator<Item = Level> {
    let all_fused = Level::available().all(Level::is_fused);
    Level::available().chain(all_fused.then(Level::portable))
}

/// All activations, or those that are named as in `ONLY=gelu,tanh cargo test`.
pub(crate) fn chosen() -> impl Iterator<Item = AnyActivation> {
    AnyActivation::all().filter(|activation| is_chosen(activation.card().name))
}

pub(crate) fn is_chosen(name: &str) -> bool {
    only().is_none_or(|only| only.split(',').any(|chosen| chosen == name))
}

/// The names in the environment variable `ONLY`, if it is set.
///
/// # Panics
/// If no activation has one of the names.
pub(crate) fn only() -> Option<&'static str> {
    static ONLY: LazyLock<Option<String>> = LazyLock::new(|| {
        let only = std::env::var("ONLY").ok()?;
        let known: Vec<&str> = AnyActivation::all().map(|activation| activation.card().name).collect();
        for name in only.split(',') {
            assert!(known.contains(&name), "ONLY has `{name}`; there are: {}", known.join(", "));
        }
        Some(only)
    });
    ONLY.as_deref()
}

/// The functions of [`chosen`] whose elements are independent.
pub(crate) fn elementwise() -> impl Iterator<Item = AnyActivation> {
    chosen().filter(is_elementwise)
}

/// Random bits, the same in every run (Steele, Lea & Flood, "SplitMix", 2014).
pub(crate) struct Bits(pub(crate) u64);

impl Bits {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [-size, size).
    pub(crate) fn within(&mut self, size: f64) -> f64 {
        ((self.next() >> 11) as f64 * 2.0_f64.powi(-52) - 1.0) * size
    }

    /// Any float. Half of them have the magnitudes in a network, and the others have random bits, which include NaN and infinity.
    pub(crate) fn float<T: Float>(&mut self) -> T {
        match self.next() % 8 {
            0..4 => T::of(self.within(8.0)),
            4 => T::of(self.within(120.0)),
            5 => T::of(self.within(1.0) * 2.0_f64.powi(-(self.next() as i32 & 127))),
            6 => {
                let special = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1.0, T::TINY, -T::TINY];
                T::of(special[self.next() as usize % special.len()])
            }
            _ => T::of_bits(self.next()),
        }
    }

    pub(crate) fn floats<T: Float>(&mut self, len: usize) -> Vec<T> {
        (0..len).map(|_| self.float()).collect()
    }
}

/// FNV-1a (Fowler, Noll & Vo) of the bytes of bit patterns.
pub(crate) fn fnv(patterns: impl IntoIterator<Item = u64>) -> u64 {
    patterns.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, pattern| {
        pattern.to_le_bytes().iter().fold(hash, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    })
}

/// Numbers of every exponent and sign, special values, and random numbers: the inputs of the committed digests.
pub(crate) fn digest_inputs<T: Float>() -> Vec<T> {
    let mut bits = Bits(21);
    let infinity = T::infinity().bits();
    let mantissa = infinity.trailing_zeros();
    let mut x = Vec::new();
    for exponent in 0..=infinity >> mantissa {
        for sign in [0, 1] {
            for _ in 0..4 {
                let fraction = bits.next() & ((1 << mantissa) - 1);
                x.push(T::of_bits((sign << (T::WIDTH - 1)) | (exponent << mantissa) | fraction));
            }
        }
    }
    x.extend(bits.floats::<T>(10_000));
    x
}

/// The functions of rows that are [`chosen`], on rows of `n`.
pub(crate) fn on_rows(n: usize) -> Vec<AnyActivation> {
    let mut all: Vec<AnyActivation> = Vec::new();
    macro_rules! in_folder {
        (rows, $name:ident) => {
            all.push($name::rows(n).expect("a length").into())
        };
        (functions, $name:ident) => {};
    }
    macro_rules! each {
        ($($folder:ident::$file:ident: $($name:ident),+;)+) => {
            $($(in_folder!($folder, $name);)+)+
        };
    }
    for_each_activation!(each);
    all.into_iter().filter(|activation| is_chosen(activation.card().name)).collect()
}

/// The functions of rows that are [`chosen`], on the slice as one row.
pub(crate) fn on_one_row() -> Vec<AnyActivation> {
    chosen().filter(|activation| !is_elementwise(activation)).collect()
}

pub(crate) fn wide<T: Float>(x: &[T]) -> Vec<f64> {
    x.iter().map(|x| x.wide()).collect()
}
