//! `Repeated`: one number for each column or channel, repeated beside the elements of a slice.

use super::element::Element;
use super::tiles::Tile;

/// Short periods are processed together: as many whole periods as fit into this many elements.
const TOGETHER: usize = 512;

/// Numbers beside the elements of a slice. Each number is beside `inner` elements, then comes the next, and after the last one the
/// first again.
///
/// For a bias of rows, `inner` is 1. For slopes of images with the channel first, it is height times width. The slice is a whole
/// number of periods, and is processed piece by piece:
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

/// The current contents of the room.
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
    /// Makes room for pieces of `N` elements. `N` is at least the length of the slice, or [`TILE`](super::tiles::TILE).
    ///
    /// Pieces are cut at multiples of `unit` elements of a period. The unit divides the period, and is at most `N`.
    #[inline]
    pub(crate) fn new(numbers: &'a [T], inner: usize, unit: usize) -> Self {
        Self { numbers, inner, longest: N - N % unit, room: Tile::new(), held: Held::Nothing }
    }

    /// The numbers beside the next piece, whose elements begin at `at`. That is where a piece ended, or a whole number of periods after
    /// that.
    #[inline]
    pub(crate) fn piece(&mut self, at: usize, len: usize) -> &[T] {
        let period = period(self.numbers.len(), self.inner);
        if period > TOGETHER / 2 && self.inner == 1 {
            // The numbers are already side by side.
            let column = at % period;
            return &self.numbers[column..period.min(column + self.longest)];
        }
        if period <= TOGETHER {
            // No later piece is longer than the first.
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

    /// The index of the number beside element `at`.
    fn channel(&self, at: usize) -> usize {
        at / self.inner % self.numbers.len()
    }

    /// Writes the numbers beside `n` elements from `at` on.
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

/// The number of elements in a period.
pub(crate) fn period(numbers: usize, inner: usize) -> usize {
    numbers.saturating_mul(inner)
}
