//! `Repeated`: one number for each column or channel, written out beside the elements of a slice.

use super::element::Element;
use super::tiles::Tile;

/// Elements of short periods that are taken together: as many whole periods as fit.
const TOGETHER: usize = 512;

/// Numbers that stand beside the elements of a slice: each beside `inner` elements, then the next, and after the last one the
/// first again.
///
/// A bias of rows has an `inner` of 1; slopes of images with the channel first have height times width. The slice is a whole
/// number of periods, and is walked through piece by piece:
///
/// ```text
/// let mut at = 0;
/// while at < len {
///     let beside = repeated.piece(at, len); // of the elements at..at + beside.len()
///     ..
///     at += beside.len();
/// }
/// ```
pub(crate) struct Repeated<'a, T, const N: usize> {
    numbers: &'a [T],
    inner: usize,
    longest: usize,
    room: Tile<T, N>,
    held: Held,
}

/// What stands in the room.
#[derive(PartialEq)]
enum Held {
    /// Nothing that can be used again.
    Nothing,
    /// Whole periods.
    Periods,
    /// The number of one channel.
    Channel(usize),
}

impl<'a, T: Element, const N: usize> Repeated<'a, T, N> {
    /// With room for pieces of `N` elements: `N` is at least the length of the slice, or [`TILE`](super::tiles::TILE).
    ///
    /// Pieces are cut at multiples of `unit` elements of a period. The unit divides the period, and is at most `N`.
    #[inline]
    pub(crate) fn new(numbers: &'a [T], inner: usize, unit: usize) -> Self {
        Self { numbers, inner, longest: N - N % unit, room: Tile::new(), held: Held::Nothing }
    }

    /// The numbers beside the elements from `at` on, for as many elements as are taken together. `at` is where a piece ended,
    /// or a whole number of periods after that.
    #[inline]
    pub(crate) fn piece(&mut self, at: usize, len: usize) -> &[T] {
        let period = period(self.numbers.len(), self.inner);
        if period > TOGETHER / 2 && self.inner == 1 {
            // They are written out already.
            let column = at % period;
            return &self.numbers[column..period.min(column + self.longest)];
        }
        if period <= TOGETHER {
            // The first piece is no shorter than the others.
            let n = (TOGETHER - TOGETHER % period).min(len - at);
            if self.held != Held::Periods {
                self.write(0, n);
                self.held = Held::Periods;
            }
            return &self.room.all()[..n];
        }
        let n = self.longest.min(period - at % period);
        let (first, last) = (self.channel(at), self.channel(at + n - 1));
        if first != last {
            self.write(at, n);
            self.held = Held::Nothing;
        } else if self.held != Held::Channel(first) {
            self.room.all().fill(self.numbers[first]);
            self.held = Held::Channel(first);
        }
        &self.room.all()[..n]
    }

    /// The number beside element `at`, by its index.
    fn channel(&self, at: usize) -> usize {
        at / self.inner % self.numbers.len()
    }

    /// Writes out the numbers beside `n` elements from `at` on.
    fn write(&mut self, at: usize, n: usize) {
        let period = period(self.numbers.len(), self.inner).min(n);
        let (written, copies) = self.room.all()[..n].split_at_mut(period);
        let mut rest = &mut *written;
        let (mut channel, mut left) = (at / self.inner % self.numbers.len(), self.inner - at % self.inner);
        if self.inner == 1 {
            rest.copy_from_slice(&self.numbers[channel..channel + period]);
        } else {
            while !rest.is_empty() {
                let (run, after) = rest.split_at_mut(left.min(rest.len()));
                run.fill(self.numbers[channel]);
                channel += 1;
                (rest, left) = (after, self.inner);
            }
        }
        for copy in copies.chunks_mut(period) {
            copy.copy_from_slice(&written[..copy.len()]);
        }
    }
}

/// Elements of one period.
pub(crate) fn period(numbers: usize, inner: usize) -> usize {
    numbers.saturating_mul(inner)
}
