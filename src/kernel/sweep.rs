//! The loop over slices that every elementwise pass runs, several vectors abreast.

use super::element::{Float, Lane};
use super::real::{Abreast, Real};

/// A strip of elements; those of a block go through the formula abreast. A whole number of vectors everywhere.
pub(crate) type Strip<T> = [T; STRIP];
pub(crate) const STRIP: usize = 64;

/// Elements that are computed together where blocks do not fit: at both ends of a slice, and between.
pub(crate) const EDGE: usize = 16;

/// Defines the loop of one pass: the slices it reads, and each slice it writes with the formula of its elements. In
/// the formula a slice's name stands for one element, of a written slice for the old one. The bound's `ABREAST`, or the
/// constant that is named, says how many vectors go abreast.
///
/// `sweep!(Forward<Elementwise> |f, x| y = f.value(x))` becomes
///
/// ```text
/// struct Forward<'a, F, T> { f: &'a F, x: &'a [T], y: &'a mut [T] }
///
/// impl<T: Float, F: Elementwise> Task<T> for Forward<'_, F, T> {
///     fn run<R: Lane<T>>(self) {
///         // for each block, then each edge, of y:
///         //     for i in 0..STRIP:
///         //         y[i] = f.value(x[i]), for N vectors at a time
///     }
/// }
/// ```
macro_rules! sweep {
    ($task:ident<$bound:ident> $($formulas:tt)*) => {
        $crate::kernel::sweep::sweep!($task<$bound::ABREAST> $($formulas)*);
    };
    ($task:ident<$bound:ident::$abreast:ident> |$f:ident $(, $input:ident)*| $($output:ident = $formula:expr),+) => {
        pub(crate) struct $task<'a, F, T> {
            pub(crate) $f: &'a F,
            $(pub(crate) $input: &'a [T],)*
            $(pub(crate) $output: &'a mut [T],)+
        }

        impl<T: $crate::kernel::element::Float, F: $bound> $crate::kernel::level::Task<T> for $task<'_, F, T> {
            type Output = ();

            #[inline(always)]
            fn run<R: $crate::kernel::element::Lane<T>>(self) {
                use $crate::kernel::sweep::{EDGE, STRIP, Strip, blocks_mut, edge, gather, padded, scatter, unaligned};

                // As arguments of a function, the slices are known not to overlap.
                #[inline(always)]
                fn block<
                    T: $crate::kernel::element::Float,
                    R: $crate::kernel::element::Lane<T>,
                    F: $bound,
                    const N: usize,
                    const W: usize,
                >(
                    $f: &F,
                    $($input: &[[T; W]; N],)*
                    $($output: &mut [[T; W]; N],)+
                ) {
                    for i in 0..W {
                        $(let $input = gather!($input, i, N);)*
                        $({
                            let result = {
                                let $output = gather!($output, i, N);
                                let _ = $output;
                                $formula
                            };
                            scatter!(result, $output, i, N);
                        })+
                    }
                }

                // The blocks, and how many elements are in them.
                #[inline(always)]
                fn all<
                    T: $crate::kernel::element::Float,
                    R: $crate::kernel::element::Lane<T>,
                    F: $bound,
                    const N: usize,
                >(
                    $f: &F,
                    $($input: &[T],)*
                    $($output: &mut [T],)+
                ) -> usize {
                    $(let $input: &[[Strip<T>; N]] = $crate::kernel::sweep::blocks($input);)*
                    $(let $output: &mut [[Strip<T>; N]] = blocks_mut($output);)+
                    let count = [$($output.len()),+][0];
                    for b in 0..count {
                        block::<T, R, F, N, STRIP>($f, $(&$input[b],)* $(&mut $output[b]),+);
                    }
                    count * N * STRIP
                }

                // A copy that nobody else can see: a parameter that is read behind a reference would be read and converted
                // for each element anew, for the outputs might be written over it.
                let $f = &self.$f.clone();

                // Slices shorter than an edge are computed in the middle of nothing else.
                struct Short<T> {
                    $($input: [T; EDGE],)*
                    $($output: [T; EDGE],)+
                }
                let len = [$(self.$output.len()),+][0];
                if len == 0 {
                    return;
                }
                let mut short = Short {
                    $($input: if len < EDGE { padded(self.$input) } else { [T::zero(); EDGE] },)*
                    $($output: if len < EDGE { padded(self.$output) } else { [T::zero(); EDGE] },)+
                };
                {
                    $(let $input: &[T] = if len < EDGE { &short.$input } else { self.$input };)*
                    $(let $output: &mut [T] = if len < EDGE { &mut short.$output } else { &mut *self.$output };)+
                    let len = [$($output.len()),+][0];

                    // What stands at both ends is kept: blocks may be written over it.
                    let (head, tail) = (0, len - EDGE);
                    struct Ends<T> {
                        $($output: [[T; EDGE]; 2],)+
                    }
                    let ends = Ends { $($output: [edge($output, head), edge($output, tail)],)+ };

                    let at = [$(unaligned($output)),+][0];
                    let done = {
                        $(let $input = &$input[at..];)*
                        $(let $output = &mut $output[at..];)+
                        at + match F::$abreast {
                            1 => all::<T, R, F, 1>($f, $($input,)* $($output),+),
                            2 => all::<T, R, F, 2>($f, $($input,)* $($output),+),
                            3 => all::<T, R, F, 3>($f, $($input,)* $($output),+),
                            _ => all::<T, R, F, 4>($f, $($input,)* $($output),+),
                        }
                    };
                    // Edges behind the blocks, then the last elements and the first: these overlap with what is computed
                    // already, which gives the same numbers again.
                    let whole = (len - done) / EDGE;
                    let last = usize::from(done + whole * EDGE < len);
                    let first = usize::from(at > 0);
                    for e in 0..whole + last + first {
                        let (start, end) = match e {
                            e if e < whole => (done + e * EDGE, None),
                            e if e < whole + last => (tail, Some(1)),
                            _ => (head, Some(0)),
                        };
                        $(let $input = &[edge($input, start)];)*
                        struct Results<T> {
                            $($output: [[T; EDGE]; 1],)+
                        }
                        let mut results = Results {
                            $($output: [match end {
                                None => edge($output, start),
                                Some(end) => ends.$output[end],
                            }],)+
                        };
                        block::<T, R, F, 1, EDGE>($f, $($input,)* $(&mut results.$output),+);
                        $($output[start..start + EDGE].copy_from_slice(&results.$output[0]);)+
                    }
                }
                if len < EDGE {
                    $(self.$output.copy_from_slice(&short.$output[..len]);)+
                }
            }
        }
    };
}

/// The `i`th element of each of N strips, as lanes abreast.
///
/// A macro, because LLVM keeps `noalias` only for the loop function's own arguments. Through a helper it would compile a
/// second loop for slices that overlap.
macro_rules! gather {
    ($strips:expr, $i:expr, $n:expr) => {{
        let mut lanes = [R::of(0.0); $n];
        for strip in 0..$n {
            lanes[strip] = R::load($strips[strip][$i]);
        }
        $crate::kernel::real::Abreast::<R, $n>(lanes)
    }};
}
pub(crate) use gather;

/// See [`gather`].
macro_rules! scatter {
    ($lanes:expr, $strips:expr, $i:expr, $n:expr) => {
        for strip in 0..$n {
            $strips[strip][$i] = $lanes.0[strip].store();
        }
    };
}
pub(crate) use scatter;

pub(crate) use sweep;

/// How many elements stand before the first that a cache line begins with; 0 for slices that are too short to care.
///
/// Stores that cross from line to line take twice the time, and an allocator's large blocks begin 16 bytes into one.
#[inline(always)]
pub(crate) fn unaligned<T>(slice: &[T]) -> usize {
    const LINE: usize = 64;
    if slice.len() < 1024 { 0 } else { slice.as_ptr().align_offset(LINE).min(EDGE) }
}

/// The elements from `start` on.
#[inline(always)]
pub(crate) fn edge<T: Float>(slice: &[T], start: usize) -> [T; EDGE] {
    let mut edge = [T::zero(); EDGE];
    edge.copy_from_slice(&slice[start..start + EDGE]);
    edge
}

/// Fewer elements than an edge has, with zeros behind.
#[inline(always)]
pub(crate) fn padded<T: Float>(slice: &[T]) -> [T; EDGE] {
    let mut edge = [T::zero(); EDGE];
    edge[..slice.len()].copy_from_slice(slice);
    edge
}

/// The slice in blocks of N strips, without what is left over.
#[inline(always)]
pub(crate) fn blocks<T, const N: usize>(slice: &[T]) -> &[[Strip<T>; N]] {
    slice.as_chunks().0.as_chunks().0
}

/// See [`blocks`].
#[inline(always)]
pub(crate) fn blocks_mut<T, const N: usize>(slice: &mut [T]) -> &mut [[Strip<T>; N]] {
    slice.as_chunks_mut().0.as_chunks_mut().0
}

impl<R: Real, const N: usize> Abreast<R, N> {
    /// The `i`th element of each strip.
    #[inline(always)]
    pub(crate) fn gather<T: Float, const W: usize>(block: &[[T; W]; N], i: usize) -> Self
    where
        R: Lane<T>,
    {
        gather!(block, i, N)
    }

    #[inline(always)]
    pub(crate) fn scatter<T: Float, const W: usize>(self, block: &mut [[T; W]; N], i: usize)
    where
        R: Lane<T>,
    {
        scatter!(self, block, i, N);
    }
}
