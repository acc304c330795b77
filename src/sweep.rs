//! The loop over slices that every elementwise pass runs, four lanes abreast.

use crate::element::Lane;
use crate::real::{ABREAST, Abreast, Real};

/// Elements of a strip; the strips of a block go through the formula abreast. A whole number of vectors everywhere.
pub(crate) const STRIP: usize = 64;
pub(crate) const BLOCK: usize = ABREAST * STRIP;

/// Defines the loop of one pass: the slices it reads, and each slice it writes with the formula of its elements. In
/// the formula a slice's name stands for one element, of a written slice for the old one.
macro_rules! sweep {
    ($task:ident<$bound:ident> |$f:ident $(, $input:ident)*| $($output:ident = $formula:expr),+) => {
        pub(crate) struct $task<'a, F, T> {
            pub(crate) $f: &'a F,
            $(pub(crate) $input: &'a [T],)*
            $(pub(crate) $output: &'a mut [T],)+
        }

        impl<T: $crate::element::Element, F: $bound> $crate::dispatch::Task<T> for $task<'_, F, T> {
            type Output = ();

            #[inline(always)]
            fn run<R: $crate::element::Lane<T>>(self) {
                // As arguments of a function, the slices are known not to overlap.
                #[inline(always)]
                fn block<T: $crate::element::Element, R: $crate::element::Lane<T>, F: $bound>(
                    $f: &F,
                    $($input: &[T; $crate::sweep::BLOCK],)*
                    $($output: &mut [T; $crate::sweep::BLOCK],)+
                ) {
                    for i in 0..$crate::sweep::STRIP {
                        $(let $input = $crate::real::Abreast::<R>::gather($input, i);)*
                        $({
                            let result = {
                                let $output = $crate::real::Abreast::<R>::gather($output, i);
                                let _ = $output;
                                $formula
                            };
                            result.scatter($output, i);
                        })+
                    }
                }

                #[inline(always)]
                fn rest<T: $crate::element::Element, R: $crate::element::Lane<T>, F: $bound>(
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

                if !<F as $bound>::ABREAST {
                    return rest::<T, R, F>(self.$f, $(self.$input,)* $(self.$output),+);
                }
                $(let $input = self.$input.as_chunks();)*
                $(let $output = self.$output.as_chunks_mut();)+
                for b in 0..[$($output.0.len()),+][0] {
                    block::<T, R, F>(self.$f, $(&$input.0[b],)* $(&mut $output.0[b]),+);
                }
                rest::<T, R, F>(self.$f, $($input.1,)* $($output.1),+);
            }
        }
    };
}

pub(crate) use sweep;

impl<R: Real> Abreast<R> {
    /// The `i`th element of each strip.
    #[inline(always)]
    pub(crate) fn gather<T: Copy>(block: &[T; BLOCK], i: usize) -> Self
    where
        R: Lane<T>,
    {
        Self(core::array::from_fn(|strip| R::load(block[strip * STRIP + i])))
    }

    #[inline(always)]
    pub(crate) fn scatter<T>(self, block: &mut [T; BLOCK], i: usize)
    where
        R: Lane<T>,
    {
        for (strip, lane) in self.0.into_iter().enumerate() {
            block[strip * STRIP + i] = lane.store();
        }
    }
}
