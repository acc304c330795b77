//! How elements of rows become scores: scale, cap, bias, mask, sink. And which elements a causal mask lets a row see.

use core::ops::Range;

use super::broadcast::Broadcast;
use super::reduce::LANES;

/// The inputs and outputs of a formula.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Scores to values.
    Value,
    /// Scores to derivatives or gradients.
    Slope,
    /// Values to gradients.
    FromOutput,
}

/// A function that takes the number of a row, and the gradient with respect to its sink.
pub(crate) type OfSink<'a, F> = &'a mut dyn FnMut(usize, F);

/// How elements of rows become scores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a, T> {
    pub(crate) scale: f64,
    /// The limit of soft-capped scores.
    pub(crate) cap: Option<f64>,
    pub(crate) bias: Option<Broadcast<'a, T>>,
    pub(crate) keep: Option<Broadcast<'a, bool>>,
    pub(crate) causal: Option<Causal>,
    /// One more score in each row, without an output.
    pub(crate) sink: Option<Broadcast<'a, T>>,
    pub(crate) empty_rows_are_zeros: bool,
}

impl<T> Terms<'_, T> {
    pub(crate) fn scaled(scale: f64) -> Self {
        Self { scale, cap: None, bias: None, keep: None, causal: None, sink: None, empty_rows_are_zeros: false }
    }

    pub(crate) fn change_scores(&self) -> bool {
        self.scale != 1.0 || self.cap.is_some() || self.bias.is_some() || self.hide() || self.sink.is_some()
    }

    pub(crate) fn are_nothing(&self) -> bool {
        !self.change_scores() && !self.empty_rows_are_zeros
    }

    /// Whether some elements are hidden.
    pub(crate) fn hide(&self) -> bool {
        self.keep.is_some() || self.causal.is_some()
    }

    /// The last factor before the bias. It is the cap if there is one, because the elements are tanh(x scale / cap) by then.
    pub(crate) fn last_scale(&self) -> f64 {
        self.cap.unwrap_or(self.scale)
    }

    /// The places of a row that are computed: see [`Causal::computed`]. If rows lie side by side, these are all places.
    pub(crate) fn computed(&self, row: usize, row_len: usize, inner: usize) -> Range<usize> {
        match self.causal {
            Some(causal) if inner == 1 => causal.computed(row, row_len),
            _ => 0..row_len,
        }
    }
}

/// Which places of a row are seen: those up to the row's own place plus an offset, and at most as many as the window has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Causal {
    /// The number of rows in a block.
    pub(crate) queries: usize,
    pub(crate) offset: isize,
    pub(crate) window: Option<usize>,
    /// Whether all places are computed, because results need the gradients at hidden places.
    pub(crate) whole: bool,
}

impl Causal {
    /// The places that row number `row` sees.
    pub(crate) fn seen(&self, row: usize, row_len: usize) -> Range<usize> {
        let query = isize::try_from(row % self.queries).unwrap_or(isize::MAX);
        let end = usize::try_from(query.saturating_add(self.offset).saturating_add(1)).unwrap_or(0);
        let start = self.window.map_or(0, |window| end.saturating_sub(window));
        start.min(row_len)..end.min(row_len)
    }

    /// The places that are computed: the seen ones, rounded outward to whole columns, so that successive rows have the same ones. If
    /// any place is hidden, at least one hidden place is computed, and the others get its result.
    fn computed(&self, row: usize, row_len: usize) -> Range<usize> {
        let Range { start, end } = self.seen(row, row_len);
        if self.whole {
            return 0..row_len;
        }
        if start >= end {
            return 0..row_len.min(LANES);
        }
        start.saturating_sub(1) / LANES * LANES..row_len.min((end / LANES + 1) * LANES)
    }

    /// A hidden place that is computed; `None` if all places are computed.
    pub(crate) fn hidden(&self, row: usize, row_len: usize) -> Option<usize> {
        let (seen, computed) = (self.seen(row, row_len), self.computed(row, row_len));
        let behind = seen.start < seen.end && seen.end < computed.end;
        (computed.len() < row_len).then_some(if behind { seen.end } else { computed.start })
    }
}
