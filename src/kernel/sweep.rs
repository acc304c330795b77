//! The loop over slices that every elementwise pass runs, several vectors side by side.

use super::abreast::Abreast;
use super::element::{Float, Lane};
use super::level::{Level, OLD};
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
///         // for each block of N strips, and for each edge, N = 1:
///         //     for each i of a strip:
///         //         y[n][i] = f.value(x[n][i]), for all strips n side by side
///     }
///
///     fn at(self, level: Level) {
///         // slices that are shorter than an edge are padded to one
///         run_at(level, self)
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
            const OLD: bool = !($in_place && F::$abreast > 1);

            #[inline(always)]
            fn run<R: $crate::kernel::element::Lane<T>>(self) {
                use $crate::kernel::sweep::{EDGE, Edges, Ends, blocks_mut, edge_mut, unequal};
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

                struct AllEnds<T> {
                    $($output: Ends<T>,)+
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
                        $(let $input: &[[[T; W]; N]] = blocks($input, edges.at, edges.blocks);)*
                        $(let $output: &mut [[[T; W]; N]] = blocks_mut($output, edges.at, edges.blocks);)+
                        for b in 0..edges.blocks {
                            block::<T, R, F, N, W>($f, $(&$input[b],)* $(&mut $output[b]),+);
                        }
                    }
                    if $in_place {
                        $(ends.$output.write(&edges, $output);)+
                    }
                }

                // The blocks, then the edges, by one loop, in which the formula stands once.
                #[inline(always)]
                fn once<T: $crate::kernel::element::Float, R: $crate::kernel::element::Lane<T>, F: $bound>(
                    $f: &F,
                    $($input: &[T],)*
                    $($output: &mut [T],)+
                ) {
                    let edges = Edges::of([$(&*$output),+][0], EDGE);
                    let mut ends = AllEnds { $($output: Ends::of($output),)+ };
                    for e in 0..=edges.edges {
                        let (start, count) = if e == 0 { (edges.at, edges.blocks) } else { (edges.start(e - 1), 1) };
                        $(let $input: &[[[T; EDGE]; 1]] = blocks($input, start, count);)*
                        $(let $output: &mut [[[T; EDGE]; 1]] = if $in_place && e > 0 {
                            core::slice::from_mut(ends.$output.at(start))
                        } else {
                            blocks_mut($output, start, count)
                        };)+
                        for b in 0..count {
                            // Costs nothing, and keeps LLVM from taking several blocks of a short formula at once, by shuffles.
                            core::hint::black_box(());
                            block::<T, R, F, 1, EDGE>($f, $(&$input[b],)* $(&mut $output[b]),+);
                        }
                    }
                    if $in_place {
                        $(ends.$output.write(&edges, $output);)+
                    }
                }

                // Vectors that do not fit into the registers are kept on the stack. LLVM aligns it only if something there is aligned,
                // and a vector that crosses from cache line to cache line takes twice the time: up to 30 % of the loop's.
                if const { R::FUSED && F::$abreast > 1 } {
                    let line = $crate::kernel::sweep::Line { _byte: 0 };
                    core::hint::black_box(&line);
                }

                const INPUTS: &[&str] = &[$(stringify!($input)),*];

                // A local copy. Behind a reference, a parameter would be read and converted again for each element, because
                // LLVM would not know that the outputs do not overwrite it.
                let $f = &self.$f.clone();
                let Self { $($input,)* $($output,)+ .. } = self;
                let len = [$($output.len()),+][0];
                // One check, after which the compiler knows that all others hold.
                if len < EDGE $(|| $input.len() != len)* $(|| $output.len() != len)+ {
                    unequal();
                }
                // `const`, so that only one of them is compiled.
                match const { $crate::kernel::sweep::abreast::<R>(F::$abreast) } {
                    // In place with an input, LLVM would not vectorise that loop.
                    0 if !$in_place || INPUTS.is_empty() => once::<T, R, F>($f, $($input,)* $($output),+),
                    0 | 1 => all::<T, R, F, 1, 64>($f, $($input,)* $($output),+),
                    2 => all::<T, R, F, 2, 32>($f, $($input,)* $($output),+),
                    3 => all::<T, R, F, 3, 16>($f, $($input,)* $($output),+),
                    _ => all::<T, R, F, 4, 16>($f, $($input,)* $($output),+),
                }
            }

            #[inline]
            fn at(self, level: $crate::kernel::level::Level) {
                use $crate::kernel::dispatch::run_at;
                use $crate::kernel::sweep::{EDGE, short};

                let Self { $f, $($input,)* $($output,)+ } = self;
                if [$($output.len()),+][0] >= EDGE {
                    return run_at(level, $task { $f, $($input,)* $($output),+ });
                }
                short([$($input),*], [$($output),+], $in_place, &mut |[$($input),*], [$($output),+]| {
                    run_at(level, $task { $f, $($input,)* $($output),+ });
                });
            }
        }
    };
}

/// The `i`th element of each of N strips, as an `Abreast`.
///
/// A macro, because LLVM keeps `noalias` only for the loop function's own arguments. With a helper function it would compile a second
/// loop for slices that overlap.
macro_rules! gather {
    ($strips:expr, $i:expr, $n:expr) => {{
        let first = R::load($strips[0][$i]);
        $crate::kernel::abreast::Abreast::<R, $n>(
            first,
            if const { $n > 1 } { R::load($strips[1][$i]) } else { first },
            if const { $n > 2 } { R::load($strips[2][$i]) } else { first },
            if const { $n > 3 } { R::load($strips[3][$i]) } else { first },
        )
    }};
}
pub(crate) use gather;

/// See [`gather`].
macro_rules! scatter {
    ($lanes:expr, $strips:expr, $i:expr, $n:expr) => {
        $strips[0][$i] = $lanes.0.store();
        if const { $n > 1 } {
            $strips[1][$i] = $lanes.1.store();
        }
        if const { $n > 2 } {
            $strips[2][$i] = $lanes.2.store();
        }
        if const { $n > 3 } {
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

/// How many vectors go side by side in the loops of a level. It is 0 at a level that only x86 CPUs from before 2013 need: one vector,
/// in a loop that contains the formula only once. Their loops then take 15 to 40 % longer, but everybody's compile time is a sixth
/// shorter.
#[inline(always)]
pub(crate) const fn abreast<R: Real>(abreast: usize) -> usize {
    if OLD && !R::FUSED { 0 } else { abreast }
}

/// Whether a formula with so many vectors side by side has no loop in place, but runs over copied tiles. For `f64`, and at old levels,
/// the copy takes at most 5 % of the time of such a formula.
#[inline(always)]
pub(crate) fn over_copies<T: Float>(level: Level, abreast: usize) -> bool {
    abreast > 1 && (size_of::<T>() > 4 || level.is_old())
}

/// As long as a cache line.
#[repr(align(64))]
pub(crate) struct Line {
    pub(crate) _byte: u8,
}

/// The edge that begins at `start`, as a block.
#[inline(always)]
pub(crate) fn edge<T>(slice: &[T], start: usize) -> &[[T; EDGE]; 1] {
    let Some(from) = slice.get(start..) else { unequal() };
    let Some(edge) = from.as_chunks().0.first_chunk() else { unequal() };
    edge
}

/// See [`edge`].
#[inline(always)]
pub(crate) fn edge_mut<T>(slice: &mut [T], start: usize) -> &mut [[T; EDGE]; 1] {
    let Some(from) = slice.get_mut(start..) else { unequal() };
    let Some(edge) = from.as_chunks_mut().0.first_chunk_mut() else { unequal() };
    edge
}

/// Does not happen: whoever runs a loop has checked the lengths. All checks of a loop share it, because each message would be a
/// call of its own in each of many hundred loops.
#[cold]
#[inline(never)]
pub(crate) fn unequal() -> ! {
    panic!("slices of a loop differ in length");
}

/// What runs over padded copies.
type OnEdges<'f, T, const I: usize, const O: usize> = dyn FnMut([&[T; EDGE]; I], [&mut [T; EDGE]; O]) + 'f;

/// Calls `f` with copies of slices that are shorter than an edge, padded to one; then copies the outputs back. If the outputs are
/// `read`, they are copied before, too. Once for all loops, because it would be a fifth of their machine code.
#[cold]
#[inline(never)]
pub(crate) fn short<T: Float, const I: usize, const O: usize>(
    inputs: [&[T]; I],
    outputs: [&mut [T]; O],
    read: bool,
    f: &mut OnEdges<'_, T, I, O>,
) {
    padded(inputs, outputs, read, f);
}

/// See [`short`].
#[inline(always)]
pub(crate) fn padded<T: Float, const I: usize, const O: usize>(
    inputs: [&[T]; I],
    outputs: [&mut [T]; O],
    read: bool,
    f: impl FnOnce([&[T; EDGE]; I], [&mut [T; EDGE]; O]),
) {
    let (mut of_inputs, mut of_outputs) = ([[T::zero(); EDGE]; I], [[T::zero(); EDGE]; O]);
    for i in 0..I {
        copy_short(inputs[i], &mut of_inputs[i]);
    }
    if read {
        for o in 0..O {
            copy_short(outputs[o], &mut of_outputs[o]);
        }
    }
    f(of_inputs.each_ref(), of_outputs.each_mut());
    for o in 0..O {
        copy_short(&of_outputs[o], outputs[o]);
    }
}

/// Copies as many elements as the shorter slice has, which is less than an edge. This is faster than a call of `memcpy`.
#[inline(never)]
fn copy_short<T: Copy>(from: &[T], to: &mut [T]) {
    let (len, mut at) = (from.len().min(to.len()), 0);
    for part in [8, 4, 2, 1] {
        if len & part != 0 {
            to[at..at + part].copy_from_slice(&from[at..at + part]);
            at += part;
        }
    }
}

/// So many blocks of N strips of a slice, from `start` on.
#[inline(always)]
pub(crate) fn blocks<T, const N: usize, const W: usize>(slice: &[T], start: usize, count: usize) -> &[[[T; W]; N]] {
    let Some(slice) = slice.get(start..) else { unequal() };
    let Some(blocks) = slice.as_chunks().0.as_chunks().0.get(..count) else { unequal() };
    blocks
}

/// See [`blocks`].
#[inline(always)]
pub(crate) fn blocks_mut<T, const N: usize, const W: usize>(
    slice: &mut [T],
    start: usize,
    count: usize,
) -> &mut [[[T; W]; N]] {
    let Some(slice) = slice.get_mut(start..) else { unequal() };
    let Some(blocks) = slice.as_chunks_mut().0.as_chunks_mut().0.get_mut(..count) else { unequal() };
    blocks
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
