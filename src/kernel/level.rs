//! CPU levels. Only this file, `dispatch.rs` and `f16.rs` know instruction sets.

use core::fmt;

/// Whether only x86 CPUs from before 2013, and [`Level::portable`], use the plain loops.
pub(crate) const OLD: bool = cfg!(all(feature = "std", any(target_arch = "x86", target_arch = "x86_64")));

/// An instruction set that this CPU has, with the loops compiled for it.
///
/// Every call picks the best level by itself. Name a level to compare levels, or to set it where the CPU cannot be detected (without
/// `std`).
///
/// All levels with fused multiply-add (AVX2, AVX-512, NEON, with the feature `std`) give the same bits, and all levels without it
/// give the same bits. [`Level::portable`] gives the same bits on every machine.
///
/// ```
/// use activations::{Activation, Gelu, Level};
///
/// let (x, mut y) = ([0.5_f32; 3], [0.0; 3]);
/// for level in Level::available() {
///     level.with(Gelu).forward(&x, &mut y);
///     println!("{level}: {y:?}");
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Level {
    pub(crate) simd: fearless_simd::Level,
    /// Whether fused multiply-add is not used, even if the CPU has it.
    pub(crate) portable: bool,
}

impl Level {
    /// The best level of the CPU that runs this; without `std`, [`compiled`](Self::compiled).
    ///
    /// ```
    /// use activations::Level;
    ///
    /// println!("running at {}", Level::best());
    /// assert_eq!(Level::available().next().map(Level::name), Some(Level::best().name()));
    /// ```
    #[inline]
    #[must_use]
    pub fn best() -> Self {
        fearless_simd::Level::try_detect().unwrap_or(fearless_simd::Level::baseline()).into()
    }

    /// The best level for the target features that the program is compiled for, without detection.
    ///
    /// ```
    /// use activations::{Activation, Level, Relu};
    ///
    /// let mut y = [0.0_f32; 2];
    /// Level::compiled().with(Relu).forward(&[-1.0, 1.0], &mut y);
    /// assert_eq!(y, [0.0, 1.0]);
    /// ```
    #[inline]
    #[must_use]
    pub const fn compiled() -> Self {
        Self { simd: fearless_simd::Level::baseline(), portable: false }
    }

    /// The level for results that are compared between machines: loops without fused multiply-add, with the instructions that every
    /// CPU of the target has. They give the same bits on every machine, in WebAssembly, and without `std`.
    ///
    /// They take two to six times as long as the best level. Their error bounds are those "without fused multiply-add".
    ///
    /// ```
    /// use activations::{Activation, Gelu, Level};
    ///
    /// let mut y = [0.0_f32];
    /// Level::portable().with(Gelu).forward(&[1.0], &mut y);
    /// assert_eq!(y[0].to_bits(), 0x3f57_625e); // everywhere
    /// ```
    #[inline]
    #[must_use]
    pub const fn portable() -> Self {
        Self { simd: fearless_simd::Level::baseline(), portable: true }
    }

    /// All levels that this CPU can run and for which loops are compiled, best first.
    ///
    /// ```
    /// use activations::Level;
    ///
    /// let names: Vec<_> = Level::available().map(Level::name).collect();
    /// assert!(!names.is_empty()); // ["avx512", "avx2", "baseline"], say
    /// ```
    pub fn available() -> impl Iterator<Item = Self> {
        let best = Self::best();
        [
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            best.simd.as_avx512().map(fearless_simd::Level::Avx512),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            best.simd.as_avx2().map(fearless_simd::Level::Avx2),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            best.simd.as_sse2().map(fearless_simd::Level::Sse2),
            #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
            Some(best.simd),
        ]
        .into_iter()
        .flatten()
        .map(Self::from)
    }

    /// Whether loops at this level use fused multiply-add. All levels that do give the same bits.
    ///
    /// ```
    /// use activations::Level;
    ///
    /// for level in Level::available() {
    ///     println!("{level}: {}", if level.is_fused() { "fused" } else { "plain" });
    /// }
    /// ```
    #[inline]
    #[must_use]
    pub fn is_fused(self) -> bool {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let has_it = self.simd.as_avx2().is_some();
        #[cfg(target_arch = "aarch64")]
        let has_it = self.simd.as_neon().is_some();
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
        let has_it = false;
        // `mul_add` is not in `core`.
        cfg!(feature = "std") && has_it && !self.portable
    }

    /// Whether it serves only CPUs that have been replaced long ago. Such levels are compiled with less care.
    #[inline]
    pub(crate) fn is_old(self) -> bool {
        OLD && !self.is_fused()
    }

    /// The level's name: `avx512`, `avx2`, `neon`, `simd128`, `baseline` or `portable`.
    ///
    /// ```
    /// use activations::Level;
    ///
    /// let slowest = Level::available().last().unwrap();
    /// assert!(["baseline", "neon", "simd128"].contains(&slowest.name()));
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        if self.portable {
            return "portable";
        }
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            if self.simd.as_avx512().is_some() {
                return "avx512";
            }
            if self.simd.as_avx2().is_some() {
                return "avx2";
            }
        }
        #[cfg(target_arch = "aarch64")]
        if self.simd.as_neon().is_some() {
            return "neon";
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        if self.simd.as_wasm_simd128().is_some() {
            return "simd128";
        }
        "baseline"
    }

    /// Makes `activation` run at this level instead of the best one.
    ///
    /// ```
    /// use activations::{Activation, Level, Sigmoid};
    ///
    /// for level in Level::available() {
    ///     assert_eq!(level.with(Sigmoid).forward_vec(&[0.0_f32]), [0.5]);
    /// }
    /// ```
    #[inline]
    pub const fn with<A>(self, activation: A) -> At<A> {
        At { level: self, activation }
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Level({})", self.name())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// For levels that the caller detects where the crate cannot (without `std`).
///
/// Except for this, `fearless_simd` is a private dependency: its major version may change in a minor version of this crate.
impl From<fearless_simd::Level> for Level {
    fn from(level: fearless_simd::Level) -> Self {
        Self { simd: level, portable: false }
    }
}

/// An activation or a gate that runs at a given [`Level`]. [`Level::with`] makes it.
///
/// ```
/// use activations::{Activation, At, Level, Tanh};
///
/// let tanh: At<Tanh> = Level::best().with(Tanh);
/// assert_eq!(tanh.forward_vec(&[0.0_f32]), [0.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct At<A> {
    pub(crate) level: Level,
    pub(crate) activation: A,
}
