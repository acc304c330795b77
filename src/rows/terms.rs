//! What is done to the elements of rows before a function takes them, and which of them a causal mask lets a row see.

use core::ops::Range;

use super::broadcast::Broadcast;
use super::reduce::LANES;

/// What a formula takes and gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Scores to values.
    Value,
    /// Scores to derivatives or gradients.
    Slope,
    /// Values to gradients.
    FromOutput,
}

/// Takes the number of a row, and the gradient with respect to its sink.
pub(crate) type OfSink<'a, F> = &'a mut dyn FnMut(usize, F);

/// What is done to the elements of rows before a function takes them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a, T> {
    pub(crate) scale: f64,
    /// The limit of soft-capped scores.
    pub(crate) cap: Option<f64>,
    pub(crate) bias: Option<Broadcast<'a, T>>,
    pub(crate) keep: Option<Broadcast<'a, bool>>,
    pub(crate) causal: Option<Causal>,
    /// A score more of each row, without an output.
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

    /// What the elements are multiplied by last, before the bias: those that are capped are tanh(x scale / cap) by then.
    pub(crate) fn last_scale(&self) -> f64 {
        self.cap.unwrap_or(self.scale)
    }

    /// The places of a row that are computed: see [`Causal::computed`]. All of them if rows lie side by side.
    pub(crate) fn computed(&self, row: usize, row_len: usize, inner: usize) -> Range<usize> {
        match self.causal {
            Some(causal) if inner == 1 => causal.computed(row, row_len),
            _ => 0..row_len,
        }
    }
}

/// Which places of a row are seen: those up to the row's own, shifted by an offset, and no more than the window has room for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Causal {
    /// Rows of a block, after which the next begins.
    pub(crate) queries: usize,
    pub(crate) offset: isize,
    pub(crate) window: Option<usize>,
    /// Whether all places are computed: if results need the gradients at places that are hidden.
    pub(crate) whole: bool,
}

impl Causal {
    /// The places that row number `row` of all rows sees.
    pub(crate) fn seen(&self, row: usize, row_len: usize) -> Range<usize> {
        let query = isize::try_from(row % self.queries).unwrap_or(isize::MAX);
        let end = usize::try_from(query.saturating_add(self.offset).saturating_add(1)).unwrap_or(0);
        let start = self.window.map_or(0, |window| end.saturating_sub(window));
        start.min(row_len)..end.min(row_len)
    }

    /// Those that are computed, and some beside: whole columns, so that rows after one another have the same ones. If there is
    /// a place that is not seen, one is among them: the other hidden places get its result.
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

    /// A place among those that are computed which is not seen; `None` if all places are computed.
    pub(crate) fn hidden(&self, row: usize, row_len: usize) -> Option<usize> {
        let (seen, computed) = (self.seen(row, row_len), self.computed(row, row_len));
        let behind = seen.start < seen.end && seen.end < computed.end;
        (computed.len() < row_len).then_some(if behind { seen.end } else { computed.start })
    }
}
