//! Tiles: blocks of a slice, as floats on the stack, that stay in the first-level cache while several loops run over them.

use num_traits::Zero;

#[cfg(feature = "half")]
use super::element::Element;
#[cfg(feature = "half")]
use super::level::Level;

use super::element::Float;
pub(crate) use super::element::TILE;
use super::sweep::{EDGE, unaligned};

/// The number of elements in a tile for short slices. Clearing a whole tile would take longer than computing a few elements.
pub(crate) const SHORT: usize = 64;

/// Room for a tile.
#[repr(align(64))]
pub(crate) struct Tile<F, const N: usize>([F; N]);

impl<F: Zero + Copy, const N: usize> Tile<F, N> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self([F::zero(); N])
    }

    #[inline]
    pub(crate) fn all(&mut self) -> &mut [F; N] {
        &mut self.0
    }

    /// Room for `len` elements.
    #[inline]
    pub(crate) fn of(&mut self, len: usize) -> &mut [F] {
        &mut self.0[..len]
    }
}

/// Calls `f` with a copy of each part of a slice, and the part. None is shorter than an edge, unless the slice is.
#[inline(never)]
pub(crate) fn copied_tiles<F: Zero + Copy>(slice: &mut [F], f: &mut dyn FnMut(&[F], &mut [F])) {
    fn each<F: Zero + Copy, const N: usize>(mut slice: &mut [F], f: &mut dyn FnMut(&[F], &mut [F])) {
        let mut tile = Tile::<F, N>::new();
        while !slice.is_empty() {
            let left = slice.len().saturating_sub(N);
            let n = if left == 0 {
                slice.len()
            } else if left < EDGE {
                N / 2
            } else {
                N
            };
            let (part, rest) = slice.split_at_mut(n);
            slice = rest;
            let copy = tile.of(n);
            copy.copy_from_slice(part);
            f(copy, part);
        }
    }
    if slice.len() <= SHORT { each::<F, SHORT>(slice, f) } else { each::<F, { TILE / 2 }>(slice, f) }
}

/// What runs over tiles of one input and up to two outputs.
type OnTiles<'f, T> = dyn FnMut(&[T], &mut [T], &mut [T]) + 'f;

/// Cuts slices of equal length into tiles. No tile is shorter than an edge. From the second tile on, the tiles of `first` begin at a
/// cache line. `second` may be empty.
#[inline]
pub(crate) fn in_tiles<T: Float>(
    x: &[T],
    first: &mut [T],
    second: &mut [T],
    f: &mut impl FnMut(&[T], &mut [T], &mut [T]),
) {
    /// Once for all functions.
    #[inline(never)]
    fn several<T: Float>(mut x: &[T], mut first: &mut [T], mut second: &mut [T], f: &mut OnTiles<'_, T>) {
        let mut next = TILE - TILE / 2 + unaligned(first);
        while x.len() > TILE {
            let at = if x.len() - next < EDGE { TILE / 2 } else { next };
            next = TILE;
            let (x_tile, x_rest) = x.split_at(at);
            let (first_tile, first_rest) = first.split_at_mut(at);
            let (second_tile, second_rest) = second.split_at_mut(at.min(second.len()));
            f(x_tile, first_tile, second_tile);
            (x, first, second) = (x_rest, first_rest, second_rest);
        }
        f(x, first, second);
    }
    if x.len() <= TILE { f(x, first, second) } else { several(x, first, second, f) }
}

/// A function that runs over tiles.
#[cfg(feature = "half")]
type OnFloats<'f, T, const I: usize, const O: usize> =
    dyn FnMut([&[<T as Element>::Float]; I], [&mut [<T as Element>::Float]; O]) + 'f;

/// See [`Element::as_floats`]. If a slice is empty although others are not, it stays empty in all tiles.
#[cfg(feature = "half")]
pub(crate) fn by_tiles<T: Element, const I: usize, const O: usize>(
    level: Level,
    inputs: [&[T]; I],
    outputs: [&mut [T]; O],
    read: bool,
    f: &mut OnFloats<'_, T, I, O>,
) {
    let of_outputs = outputs.iter().map(|output| output.len()).max().unwrap_or(0);
    let len = inputs.iter().map(|input| input.len()).max().unwrap_or(0).max(of_outputs);
    if len <= SHORT {
        by_tiles_of::<T, I, O, SHORT>(level, len, inputs, outputs, read, f);
    } else {
        by_tiles_of::<T, I, O, TILE>(level, len, inputs, outputs, read, f);
    }
}

#[cfg(feature = "half")]
fn by_tiles_of<T: Element, const I: usize, const O: usize, const N: usize>(
    level: Level,
    len: usize,
    inputs: [&[T]; I],
    mut outputs: [&mut [T]; O],
    read: bool,
    f: &mut OnFloats<'_, T, I, O>,
) {
    let mut input_tiles = [(); I].map(|()| Tile::<T::Float, N>::new());
    let mut output_tiles = [(); O].map(|()| Tile::<T::Float, N>::new());
    for start in (0..len).step_by(N) {
        let part = |len: usize| start.min(len)..len.min(start + N);
        for (input, tile) in inputs.iter().zip(&mut input_tiles) {
            let part = part(input.len());
            T::widen(level, &input[part.clone()], tile.of(part.len()));
        }
        if read {
            for (output, tile) in outputs.iter().zip(&mut output_tiles) {
                let part = part(output.len());
                T::widen(level, &output[part.clone()], tile.of(part.len()));
            }
        }
        let (input_lens, output_lens) =
            (inputs.map(|input| part(input.len()).len()), outputs.each_ref().map(|output| part(output.len()).len()));
        let (mut input_lens, mut output_lens) = (input_lens.into_iter(), output_lens.into_iter());
        f(
            input_tiles.each_mut().map(|tile| &*tile.of(input_lens.next().unwrap_or(0))),
            output_tiles.each_mut().map(|tile| tile.of(output_lens.next().unwrap_or(0))),
        );
        for (output, tile) in outputs.iter_mut().zip(&mut output_tiles) {
            let part = part(output.len());
            T::narrow(level, tile.of(part.len()), &mut output[part]);
        }
    }
}
