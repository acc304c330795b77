//! The loop over slices that every elementwise pass runs, several lanes abreast.

use crate::kernel::element::Lane;
use crate::kernel::real::{Abreast, Real};

/// A strip of elements; those of a block go through the formula abreast. A whole number of vectors everywhere.
pub(crate) type Strip<T> = [T; STRIP];
pub(crate) const STRIP: usize = 64;

/// Defines the loop of one pass: the slices it reads, and each slice it writes with the formula of its elements. In
/// the formula a slice's name stands for one element, of a written slice for the old one. The bound's `ABREAST`, or the
/// constant that is named, says how many vectors go abreast.
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

        impl<T: $crate::kernel::element::Element, F: $bound> $crate::kernel::level::Task<T> for $task<'_, F, T> {
            type Output = ();

            #[inline(always)]
            fn run<R: $crate::kernel::element::Lane<T>>(self) {
                // As arguments of a function, the slices are known not to overlap.
                #[inline(always)]
                fn block<T: $crate::kernel::element::Element, R: $crate::kernel::element::Lane<T>, F: $bound, const N: usize>(
                    $f: &F,
                    $($input: &[$crate::kernel::sweep::Strip<T>; N],)*
                    $($output: &mut [$crate::kernel::sweep::Strip<T>; N],)+
                ) {
                    for i in 0..$crate::kernel::sweep::STRIP {
                        $(let $input = $crate::kernel::sweep::gather!($input, i, N);)*
                        $({
                            let result = {
                                let $output = $crate::kernel::sweep::gather!($output, i, N);
                                let _ = $output;
                                $formula
                            };
                            $crate::kernel::sweep::scatter!(result, $output, i, N);
                        })+
                    }
                }

                #[inline(always)]
                fn rest<T: $crate::kernel::element::Element, R: $crate::kernel::element::Lane<T>, F: $bound>(
                    $f: &F,
                    $($input: &[T],)*
                    $($output: &mut [T],)+
                ) {
                    let n = [$($output.len()),+][0];
                    $(let $input = &$input[..n];)*
                    $(let $output = &mut $output[..n];)+
                    for i in 0..n {
                        $(let $input = R::load($input[i]);)*
                        $({
                            let result = {
                                let $output = R::load($output[i]);
                                let _ = $output;
                                $formula
                            };
                            $output[i] = result.store();
                        })+
                    }
                }

                #[inline(always)]
                fn all<T: $crate::kernel::element::Element, R: $crate::kernel::element::Lane<T>, F: $bound, const N: usize>(
                    $f: &F,
                    $($input: [&[T]; 2],)*
                    $($output: [&mut [T]; 2],)+
                ) {
                    $(let [head, body] = $input;
                    let (blocks, left) = $crate::kernel::sweep::blocks::<T, N>(body);
                    let $input = ([head, left], blocks);)*
                    $(let [head, body] = $output;
                    let (blocks, left) = $crate::kernel::sweep::blocks_mut::<T, N>(body);
                    let $output = ([head, left], blocks);)+
                    for b in 0..[$($output.1.len()),+][0] {
                        block::<T, R, F, N>($f, $(&$input.1[b],)* $(&mut $output.1[b]),+);
                    }
                    both::<T, R, F>($f, $($input.0,)* $($output.0),+);
                }

                #[inline(always)]
                fn both<T: $crate::kernel::element::Element, R: $crate::kernel::element::Lane<T>, F: $bound>(
                    $f: &F,
                    $($input: [&[T]; 2],)*
                    $($output: [&mut [T]; 2],)+
                ) {
                    for part in 0..2 {
                        rest::<T, R, F>($f, $($input[part],)* $($output[part]),+);
                    }
                }

                // A copy that nobody else can see: a parameter that is read behind a reference would be read and converted
                // for each element anew, for the outputs might be written over it.
                let $f = &self.$f.clone();
                let at = [$($crate::kernel::sweep::unaligned(self.$output)),+][0];
                $(let (head, body) = self.$input.split_at(at);
                let $input = [head, body];)*
                $(let (head, body) = self.$output.split_at_mut(at);
                let $output = [head, body];)+
                match F::$abreast {
                    1 => both::<T, R, F>($f, $($input,)* $($output),+),
                    2 => all::<T, R, F, 2>($f, $($input,)* $($output),+),
                    3 => all::<T, R, F, 3>($f, $($input,)* $($output),+),
                    _ => all::<T, R, F, 4>($f, $($input,)* $($output),+),
                }
            }
        }
    };
}

/// The `i`th element of each of N strips, as lanes abreast.
///
/// Not a function, and no closure: the references of the loop's function are known not to overlap only in that function
/// itself. Otherwise each loop would be compiled a second time, for slices that do.
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
    if slice.len() < 1024 { 0 } else { slice.as_ptr().align_offset(LINE).min(LINE) }
}

/// The slice in blocks of N strips, and what is left over.
#[inline(always)]
pub(crate) fn blocks<T, const N: usize>(slice: &[T]) -> (&[[Strip<T>; N]], &[T]) {
    let (whole, rest) = slice.split_at(slice.len() - slice.len() % (N * STRIP));
    (whole.as_chunks().0.as_chunks().0, rest)
}

/// See [`blocks`].
#[inline(always)]
pub(crate) fn blocks_mut<T, const N: usize>(slice: &mut [T]) -> (&mut [[Strip<T>; N]], &mut [T]) {
    let (whole, rest) = slice.split_at_mut(slice.len() - slice.len() % (N * STRIP));
    (whole.as_chunks_mut().0.as_chunks_mut().0, rest)
}

impl<R: Real, const N: usize> Abreast<R, N> {
    /// The `i`th element of each strip.
    #[inline(always)]
    pub(crate) fn gather<T: Copy, const W: usize>(block: &[[T; W]; N], i: usize) -> Self
    where
        R: Lane<T>,
    {
        Self(core::array::from_fn(|strip| R::load(block[strip][i])))
    }

    #[inline(always)]
    pub(crate) fn scatter<T, const W: usize>(self, block: &mut [[T; W]; N], i: usize)
    where
        R: Lane<T>,
    {
        for (strip, lane) in self.0.into_iter().enumerate() {
            block[strip][i] = lane.store();
        }
    }
}
