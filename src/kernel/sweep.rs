//! The loop over slices that every elementwise pass runs, several vectors side by side.

use super::abreast::Abreast;
use super::element::{Float, Lane};
use super::real::Real;

/// How many elements are computed together where no block fits. It is a whole number of vectors on every CPU.
pub(crate) const EDGE: usize = 16;

/// Defines the loop of one pass: the slices that it reads, and the slices that it writes, each with the formula of its elements. In
/// a formula, a slice's name stands for one element. `mut` before a written slice says that it is also read, so the pass is in place.
/// A formula that is a pair may write two slices. The bound's `ABREAST`, or the named constant, says how many vectors go side by
/// side.
///
/// `sweep!(Forward<Elementwise> |f, x| y = f.value(x))` becomes
///
/// ```text
/// struct Forward<'a, F, T> { f: &'a F, x: &'a [T], y: &'a mut [T] }
///
/// impl<T: Float, F: Elementwise> Task<T> for Forward<'_, F, T> {
///     fn run<R: Lane<T>>(self) {
///         // a slice that is shorter than an edge is padded to one; for each block of N strips, and for each edge, N = 1:
///         //     for each i of a strip:
///         //         y[n][i] = f.value(x[n][i]), for all strips n side by side
///     }
/// }
/// ```
macro_rules! sweep {
    ($task:ident<$bound:ident> $($formulas:tt)*) => {
        $crate::kernel::sweep::sweep!($task<$bound::ABREAST> $($formulas)*);
    };
    (
        $task:ident<$bound:ident::$abreast:ident>
        |$f:ident $(, $input:ident)*| ($first:ident, $second:ident) = $formula:expr
    ) => {
        $crate::kernel::sweep::sweep!(@ in place false, i, $task<$bound::$abreast> |$f $(, $input)*| $first, $second by {
            let results = $formula;
            $crate::kernel::sweep::scatter!(results.0, $first, i, N);
            $crate::kernel::sweep::scatter!(results.1, $second, i, N);
        });
    };
    ($task:ident<$bound:ident::$abreast:ident> |$f:ident $(, $input:ident)*| mut $output:ident = $formula:expr) => {
        $crate::kernel::sweep::sweep!(@ in place true, i, $task<$bound::$abreast> |$f $(, $input)*| $output by {
            let result = {
                let $output = $crate::kernel::sweep::gather!($output, i, N);
                $formula
            };
            $crate::kernel::sweep::scatter!(result, $output, i, N);
        });
    };
    ($task:ident<$bound:ident::$abreast:ident> |$f:ident $(, $input:ident)*| $($output:ident = $formula:expr),+) => {
        $crate::kernel::sweep::sweep!(@ in place false, i, $task<$bound::$abreast> |$f $(, $input)*| $($output),+ by {
            $({
                let result = $formula;
                $crate::kernel::sweep::scatter!(result, $output, i, N);
            })+
        });
    };
    (
        @ in place $in_place:literal, $i:ident,
        $task:ident<$bound:ident::$abreast:ident> |$f:ident $(, $input:ident)*| $($output:ident),+ by $element:block
    ) => {
        pub(crate) struct $task<'a, F, T> {
            pub(crate) $f: &'a F,
            $(pub(crate) $input: &'a [T],)*
            $(pub(crate) $output: &'a mut [T],)+
        }

        impl<T: $crate::kernel::element::Float, F: $bound> $crate::kernel::dispatch::Task<T> for $task<'_, F, T> {
            type Output = ();
            type Home = F;

            #[inline(always)]
            fn run<R: $crate::kernel::element::Lane<T>>(self) {
                use $crate::kernel::sweep::{EDGE, Edges, Ends, blocks_mut, copy_short, edge_mut};
                #[allow(unused_imports, reason = "a pass may read no other slice than the one it writes")]
                use $crate::kernel::sweep::{blocks, edge, gather};

                // A function, because LLVM knows only of a function's arguments that they do not overlap.
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
                    for $i in 0..W {
                        $(let $input = gather!($input, $i, N);)*
                        $element
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
                    let edges = Edges::of([$(&*$output),+][0], N * W);
                    struct AllEnds<T> {
                        $($output: Ends<T>,)+
                    }
                    let mut ends = AllEnds { $($output: Ends::of($output),)+ };
                    for e in 0..edges.edges {
                        let start = edges.start(e);
                        let overlaps = start != edges.behind + e * EDGE;
                        $(let $input = edge($input, start);)*
                        $(let $output = if $in_place && overlaps {
                            ends.$output.at(start)
                        } else {
                            edge_mut($output, start)
                        };)+
                        block::<T, R, F, 1, EDGE>($f, $($input,)* $($output),+);
                    }
                    {
                        $(let $input: &[[[T; W]; N]] = &blocks(&$input[edges.at..])[..edges.blocks];)*
                        $(let $output: &mut [[[T; W]; N]] =
                            &mut blocks_mut(&mut $output[edges.at..])[..edges.blocks];)+
                        for b in 0..edges.blocks {
                            block::<T, R, F, N, W>($f, $(&$input[b],)* $(&mut $output[b]),+);
                        }
                    }
                    if $in_place {
                        $(ends.$output.write(&edges, $output);)+
                    }
                }

                // A local copy. Behind a reference, a parameter would be read and converted again for each element, because
                // LLVM would not know that the outputs do not overwrite it.
                let $f = &self.$f.clone();
                struct Short<T> {
                    $($input: [T; EDGE],)*
                    $($output: [T; EDGE],)+
                }
                let mut short: Option<Short<T>> = None;
                {
                    $(let mut $input = self.$input;)*
                    $(let mut $output = &mut *self.$output;)+
                    if [$($output.len()),+][0] < EDGE {
                        let short = short.insert(Short {
                            $($input: [T::zero(); EDGE],)*
                            $($output: [T::zero(); EDGE],)+
                        });
                        $(copy_short($input, &mut short.$input);)*
                        if $in_place {
                            $(copy_short($output, &mut short.$output);)+
                        }
                        $($input = &short.$input;)*
                        $($output = &mut short.$output;)+
                    }
                    match $crate::kernel::sweep::abreast::<R>(F::$abreast) {
                        1 => all::<T, R, F, 1, 64>($f, $($input,)* $($output),+),
                        2 => all::<T, R, F, 2, 32>($f, $($input,)* $($output),+),
                        3 => all::<T, R, F, 3, 16>($f, $($input,)* $($output),+),
                        _ => all::<T, R, F, 4, 16>($f, $($input,)* $($output),+),
                    }
                }
                if let Some(short) = &short {
                    $(copy_short(&short.$output, self.$output);)+
                }
            }
        }
    };
}

/// The `i`th element of each of N strips, as an `Abreast`.
///
/// A macro, because LLVM keeps `noalias` only for the loop function's own arguments. With a helper function it would compile a second
/// loop for slices that overlap.
macro_rules! gather {
    ($strips:expr, $i:expr, $n:expr) => {
        $crate::kernel::abreast::Abreast::<R, $n>(
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

/// How a slice is divided: whole blocks, and edges for the rest at both ends.
///
/// The last edge ends with the slice and the first one begins with it, so they overlap with their neighbours: a few elements
/// are computed twice.
pub(crate) struct Edges {
    /// Where the blocks begin.
    pub(crate) at: usize,
    pub(crate) blocks: usize,
    /// Where the blocks end.
    pub(crate) behind: usize,
    /// The number of edges: those after the blocks, and then the first one if the blocks do not begin at 0.
    pub(crate) edges: usize,
    /// Where the last edge begins.
    pub(crate) last: usize,
    /// Whether the last edge begins before its neighbour ends.
    pub(crate) last_overlaps: bool,
}

impl Edges {
    /// The edges of a slice that is at least as long as an edge.
    #[inline(always)]
    pub(crate) fn of<T>(slice: &[T], block: usize) -> Self {
        let (len, at) = (slice.len(), unaligned(slice));
        let blocks = (len - at) / block;
        let behind = at + blocks * block;
        let left = len - behind;
        let edges = left.div_ceil(EDGE) + usize::from(at > 0);
        Self { at, blocks, behind, edges, last: len.saturating_sub(EDGE), last_overlaps: !left.is_multiple_of(EDGE) }
    }

    /// Where edge number `e` begins.
    #[inline(always)]
    pub(crate) fn start(&self, e: usize) -> usize {
        let start = self.behind + e * EDGE;
        if start < self.last {
            start
        } else if start < self.last + EDGE {
            self.last
        } else {
            0
        }
    }
}

/// The first and the last edge of a slice that is overwritten in place. If they overlap with their neighbours, they are computed
/// here, before anything is written, and written last.
///
/// Aligned, because a vector that crosses a cache line cannot be loaded right after it was stored. Waiting would cost 10 ns.
#[repr(align(64))]
pub(crate) struct Ends<T> {
    first: [[T; EDGE]; 1],
    last: [[T; EDGE]; 1],
}

impl<T: Copy> Ends<T> {
    #[inline(always)]
    pub(crate) fn of(slice: &[T]) -> Self {
        Self { first: *edge(slice, 0), last: *edge(slice, slice.len() - EDGE) }
    }

    /// The edge that begins at `start`: the first one if `start` is 0, else the last one.
    #[inline(always)]
    pub(crate) fn at(&mut self, start: usize) -> &mut [[T; EDGE]; 1] {
        if start == 0 { &mut self.first } else { &mut self.last }
    }

    /// Writes the edges that overlap.
    #[inline(always)]
    pub(crate) fn write(&self, edges: &Edges, slice: &mut [T]) {
        if edges.last_overlaps {
            *edge_mut(slice, edges.last) = self.last;
        }
        if edges.at > 0 {
            *edge_mut(slice, 0) = self.first;
        }
    }
}

/// How many elements come before the first one at the start of a cache line; 0 for slices that are too short for it to matter.
///
/// A store that crosses a cache line takes twice the time, and an allocator's large blocks begin 16 bytes into a line.
#[inline(always)]
pub(crate) fn unaligned<T>(slice: &[T]) -> usize {
    const LINE: usize = 64;
    if slice.len() < 1024 { 0 } else { slice.as_ptr().align_offset(LINE).min(EDGE) }
}

/// How many vectors go side by side in the loops of a level. It is one at a level that only x86 CPUs from before 2013 need. Their loops
/// then take 15 to 40 % longer, but everybody's compile time is a sixth shorter.
#[inline(always)]
pub(crate) const fn abreast<R: Real>(abreast: usize) -> usize {
    let old = cfg!(all(feature = "std", any(target_arch = "x86", target_arch = "x86_64"))) && !R::FUSED;
    if old { 1 } else { abreast }
}

/// The edge that begins at `start`, as a block.
#[inline(always)]
pub(crate) fn edge<T>(slice: &[T], start: usize) -> &[[T; EDGE]; 1] {
    slice[start..].as_chunks().0.first_chunk().expect("an edge")
}

/// See [`edge`].
#[inline(always)]
pub(crate) fn edge_mut<T>(slice: &mut [T], start: usize) -> &mut [[T; EDGE]; 1] {
    slice[start..].as_chunks_mut().0.first_chunk_mut().expect("an edge")
}

/// Copies as many elements as the shorter slice has, which is less than an edge. This is faster than a call of `memcpy`.
#[cold]
#[inline(never)]
pub(crate) fn copy_short<T: Copy>(from: &[T], to: &mut [T]) {
    let (len, mut at) = (from.len().min(to.len()), 0);
    for part in [8, 4, 2, 1] {
        if len & part != 0 {
            to[at..at + part].copy_from_slice(&from[at..at + part]);
            at += part;
        }
    }
}

/// The slice in whole blocks of N strips, without the rest.
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
