//! The loop over slices that every elementwise pass runs, several vectors abreast.

use super::element::{Float, Lane};
use super::real::{Abreast, Real};

/// Elements that are computed together where blocks do not fit: a whole number of vectors everywhere.
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
///         // for each block of N strips, and for what is left over at both ends:
///         //     for each i of a strip:
///         //         y[n][i] = f.value(x[n][i]), for all strips n abreast
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
                use $crate::kernel::sweep::{EDGE, Edges, blocks_mut, edge, edge_mut, gather, pad, scatter, unpad};
                #[allow(unused_imports, reason = "a pass may read no other slice than the one it writes")]
                use $crate::kernel::sweep::{blocks, edge_ref};

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

                #[inline(always)]
                fn all<
                    T: $crate::kernel::element::Float,
                    R: $crate::kernel::element::Lane<T>,
                    F: $bound,
                    const N: usize,
                    const W: usize,
                >(
                    $f: &F,
                    $($input: &[T],)*
                    $($output: &mut [T],)+
                ) {
                    // The last elements and the first are computed with their neighbours, for a second time, unless edges
                    // of the rest end and begin there. What stood there is kept: in place, it is the input.
                    struct Kept<T> {
                        $($output: [[T; EDGE]; 2],)+
                    }
                    let edges = Edges::of([$(&*$output),+][0], N * W);
                    let kept = Kept { $($output: [edge($output, edges.tail), edge($output, 0)],)+ };
                    {
                        $(let $input: &[[[T; W]; N]] = blocks(&$input[edges.at..]);)*
                        $(let $output: &mut [[[T; W]; N]] = blocks_mut(&mut $output[edges.at..]);)+
                        for b in 0..edges.blocks {
                            block::<T, R, F, N, W>($f, $(&$input[b],)* $(&mut $output[b]),+);
                        }
                    }
                    for e in 0..edges.whole + edges.ends {
                        let start = edges.start(e);
                        $(let $input = edge_ref(&$input[start..]);)*
                        $(let $output = edge_mut(&mut $output[start..]);)+
                        if e >= edges.whole {
                            $($output[0] = kept.$output[e - edges.whole];)+
                        }
                        block::<T, R, F, 1, EDGE>($f, $($input,)* $($output),+);
                    }
                }

                // A copy that nobody else can see: a parameter that is read behind a reference would be read and converted
                // for each element anew, for the outputs might be written over it.
                let $f = &self.$f.clone();
                let len = [$(self.$output.len()),+][0];

                // A slice shorter than an edge is padded to one.
                struct Short<T> {
                    $($input: [T; EDGE],)*
                    $($output: [T; EDGE],)+
                }
                let mut short = Short {
                    $($input: [T::zero(); EDGE],)*
                    $($output: [T::zero(); EDGE],)+
                };
                if len < EDGE {
                    $(pad(self.$input, &mut short.$input);)*
                    $(pad(self.$output, &mut short.$output);)+
                }
                {
                    $(let $input: &[T] = if len < EDGE { &short.$input } else { self.$input };)*
                    $(let $output: &mut [T] = if len < EDGE { &mut short.$output } else { &mut *self.$output };)+
                    match F::$abreast {
                        1 => all::<T, R, F, 1, 64>($f, $($input,)* $($output),+),
                        2 => all::<T, R, F, 2, 32>($f, $($input,)* $($output),+),
                        3 => all::<T, R, F, 3, 16>($f, $($input,)* $($output),+),
                        _ => all::<T, R, F, 4, 16>($f, $($input,)* $($output),+),
                    }
                }
                if len < EDGE {
                    $(unpad(&short.$output, self.$output);)+
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
    ($strips:expr, $i:expr, $n:expr) => {
        $crate::kernel::real::Abreast::<R, $n>(
            R::load($strips[0][$i]),
            if $n > 1 { R::load($strips[1][$i]) } else { R::of(0.0) },
            if $n > 2 { R::load($strips[2][$i]) } else { R::of(0.0) },
            if $n > 3 { R::load($strips[3][$i]) } else { R::of(0.0) },
        )
    };
}
pub(crate) use gather;

/// See [`gather`].
macro_rules! scatter {
    ($lanes:expr, $strips:expr, $i:expr, $n:expr) => {
        $strips[0][$i] = $lanes.0.store();
        if $n > 1 {
            $strips[1][$i] = $lanes.1.store();
        }
        if $n > 2 {
            $strips[2][$i] = $lanes.2.store();
        }
        if $n > 3 {
            $strips[3][$i] = $lanes.3.store();
        }
    };
}
pub(crate) use scatter;

pub(crate) use sweep;

/// How a slice is divided: blocks, edges behind them, and edges at its ends, which overlap with others.
pub(crate) struct Edges {
    /// Where the blocks begin.
    pub(crate) at: usize,
    pub(crate) blocks: usize,
    /// Edges behind the blocks.
    pub(crate) whole: usize,
    /// Edges at the ends: the last elements, the first.
    pub(crate) ends: usize,
    behind: usize,
    /// Where the last elements begin.
    pub(crate) tail: usize,
}

impl Edges {
    /// Of a slice that is no shorter than an edge.
    #[inline(always)]
    pub(crate) fn of<T>(slice: &[T], block: usize) -> Self {
        let (len, at) = (slice.len(), unaligned(slice));
        let blocks = (len - at) / block;
        let behind = at + blocks * block;
        let whole = (len - behind) / EDGE;
        let ends = if at > 0 { 2 } else { usize::from(behind + whole * EDGE < len) };
        Self { at, blocks, whole, ends, behind, tail: len - EDGE }
    }

    /// Where edge number `e` begins.
    #[inline(always)]
    pub(crate) fn start(&self, e: usize) -> usize {
        if e < self.whole {
            self.behind + e * EDGE
        } else if e == self.whole {
            self.tail
        } else {
            0
        }
    }
}

/// How many elements stand before the first that a cache line begins with; 0 for slices that are too short to care.
///
/// Stores that cross from line to line take twice the time, and an allocator's large blocks begin 16 bytes into one.
#[inline(always)]
pub(crate) fn unaligned<T>(slice: &[T]) -> usize {
    const LINE: usize = 64;
    if slice.len() < 4096 { 0 } else { slice.as_ptr().align_offset(LINE).min(EDGE) }
}

/// The elements from `start` on.
#[inline(always)]
pub(crate) fn edge<T: Float>(slice: &[T], start: usize) -> [T; EDGE] {
    let mut edge = [T::zero(); EDGE];
    edge.copy_from_slice(&slice[start..start + EDGE]);
    edge
}

/// The first elements, as a block.
#[inline(always)]
pub(crate) fn edge_ref<T>(slice: &[T]) -> &[[T; EDGE]; 1] {
    (&slice.as_chunks().0[..1]).try_into().expect("an edge")
}

/// See [`edge_ref`].
#[inline(always)]
pub(crate) fn edge_mut<T>(slice: &mut [T]) -> &mut [[T; EDGE]; 1] {
    (&mut slice.as_chunks_mut().0[..1]).try_into().expect("an edge")
}

/// Copies a short slice.
#[inline(always)]
pub(crate) fn pad<T: Copy>(slice: &[T], short: &mut [T; EDGE]) {
    for (short, &element) in short.iter_mut().zip(slice) {
        *short = element;
    }
}

/// Copies a short slice back.
#[inline(always)]
pub(crate) fn unpad<T: Copy>(short: &[T; EDGE], slice: &mut [T]) {
    for (element, &short) in slice.iter_mut().zip(short) {
        *element = short;
    }
}

/// The slice in blocks of N strips, without what is left over.
#[inline(always)]
pub(crate) fn blocks<T, const N: usize, const W: usize>(slice: &[T]) -> &[[[T; W]; N]] {
    slice.as_chunks().0.as_chunks().0
}

/// See [`blocks`].
#[inline(always)]
pub(crate) fn blocks_mut<T, const N: usize, const W: usize>(slice: &mut [T]) -> &mut [[[T; W]; N]] {
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
