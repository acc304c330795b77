//! Activations with trained parameters for each channel.

use core::ops::Range;

use super::columns::{Addends, ColumnSums};
use crate::activation::Activation;
use crate::functions::slopes::leaky_pass;
use crate::kernel::element::{Element, per_element};
use crate::kernel::level::{At, Level};
use crate::kernel::repeated::{Repeated, period};
use crate::kernel::tiles::{SHORT, TILE, Tile};
use crate::parametric::{Loops, Of, Parametric, Terms};
use crate::pass::{Pass, Pieces, same_length};
use crate::rows::reduce::LANES;

/// An activation with trained parameters for each channel: a [`Parametric`] formula and its parameters.
///
/// The formulas of this crate are [`SwishBeta`](crate::SwishBeta), [`SnakeA`](crate::SnakeA),
/// [`SoftplusBeta`](crate::SoftplusBeta), [`EluAlpha`](crate::EluAlpha), [`CeluAlpha`](crate::CeluAlpha) and
/// [`XieluAlphas`](crate::XieluAlphas). [`Prelu`](crate::Prelu) is the same for the slope of a ReLU.
///
/// The parameters are trained, so they stay with the caller: one slice for each parameter, with a number for each channel. Data is
/// laid out as outer x channels x inner. By default inner is 1, so the channel is the last axis. For images with the channel first,
/// inner is height times width. If there is only one channel, its parameters are for all elements.
///
/// - Derivatives: [`backward_with_parameters`](Self::backward_with_parameters) gives the parameters' gradients too.
/// - Error: see the formula's page. Halves are computed in `f32` and rounded once.
/// - Special values: see the formula's page. The parameters are not checked.
/// - Panics: the methods of [`Activation`] panic if a slice's length is not a multiple of channels x inner. Without channels,
///   only empty slices fit.
///
/// ```
/// use activations::{Activation, PerChannel, SwishBeta};
///
/// // Two channels. The first one is x / 2.
/// let betas = [0.0_f32, 1.0];
/// let layer = PerChannel::new(SwishBeta, [&betas]);
/// assert_eq!(layer.forward_vec(&[1.0, 1.0, 2.0, 0.0]), [0.5, 0.731_058_6, 1.0, 0.0]);
///
/// let (mut grad_x, mut grad_betas) = ([0.0; 4], [0.0; 2]);
/// layer.backward_with_parameters(&[1.0, 0.0, 2.0, 0.0], &[1.0; 4], &mut grad_x, [&mut grad_betas]);
/// assert_eq!((grad_x, grad_betas), ([0.5; 4], [1.25, 0.0]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerChannel<'a, F, T, const N: usize = 1> {
    formula: F,
    parameters: [&'a [T]; N],
    inner: usize,
}

/// The `const` functions that [`Prelu`](crate::Prelu) needs.
impl<'a, F: Copy, T, const N: usize> PerChannel<'a, F, T, N> {
    pub(super) const fn of(formula: F, parameters: [&'a [T]; N]) -> Self {
        Self { formula, parameters, inner: 1 }
    }

    pub(super) const fn with_inner(self, inner: usize) -> Self {
        Self { formula: self.formula, parameters: self.parameters, inner }
    }

    pub(super) const fn first(&self) -> &'a [T] {
        self.parameters[0]
    }
}

impl<'a, F: Parametric<N>, T: Element, const N: usize> PerChannel<'a, F, T, N> {
    /// Makes the activation from a slice for each parameter, in the formula's order. The channel is the last axis, unless
    /// [`inner`](Self::inner) says otherwise.
    ///
    /// # Panics
    /// If the parameters' lengths differ.
    ///
    /// ```
    /// use activations::{Activation, PerChannel, XieluAlphas};
    ///
    /// let (alpha_p, alpha_n) = ([0.8_f64, 1.0], [0.8, 1.0]);
    /// let xielu = PerChannel::new(XieluAlphas::default(), [&alpha_p, &alpha_n]);
    /// assert_eq!(xielu.forward_vec(&[1.0, 1.0]), [1.3, 1.5]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn new(formula: F, parameters: [&'a [T]; N]) -> Self {
        const { assert!(N == 1 || N == 2, "a formula has one or two parameters") };
        for other in &parameters[1..] {
            same_length("the second parameters", other.len(), "the first parameters", parameters[0].len());
        }
        Self { formula, parameters, inner: 1 }
    }

    /// Sets how many elements of a channel lie next to each other: the product of the axes after the channel. If it is 0, only
    /// empty slices fit.
    ///
    /// ```
    /// use activations::{Activation, EluAlpha, PerChannel};
    ///
    /// // Two channels of two pixels each.
    /// let x = [f32::NEG_INFINITY; 4];
    /// let elu = PerChannel::new(EluAlpha, [&[0.25, 0.5]]).inner(2);
    /// assert_eq!(elu.forward_vec(&x), [-0.25, -0.25, -0.5, -0.5]);
    /// ```
    #[must_use]
    pub fn inner(self, inner: usize) -> Self {
        Self { inner, ..self }
    }

    /// The parameters.
    ///
    /// ```
    /// use activations::{PerChannel, SnakeA};
    ///
    /// assert_eq!(PerChannel::new(SnakeA, [&[0.25_f32]]).parameters(), [[0.25]]);
    /// ```
    #[must_use]
    pub fn parameters(&self) -> [&'a [T]; N] {
        self.parameters
    }

    /// Runs [`backward`](Activation::backward), and computes the gradients of the parameters: `grad_parameters[k][c]` is the sum of
    /// `grad_y[i]` times the derivative with respect to parameter k, over all i of channel c. All gradients are overwritten.
    ///
    /// The order of the sum is fixed, so the bits do not depend on the CPU, within its kind, nor on the other channels' numbers. The
    /// sum's error is at most 1 ULP, plus the errors of its terms, plus half the type's epsilon times the sum of their magnitudes,
    /// for channels of up to 2^20 elements. For halves, terms and sums are computed in `f32`, and rounded once, at the end.
    ///
    /// # Panics
    /// If the lengths differ, or do not fit the channels, before anything is written.
    ///
    /// ```
    /// use activations::{PerChannel, SnakeA};
    ///
    /// // At a = 0 snake is x, and its derivative with respect to a is x^2.
    /// let (x, mut grad_x, mut grad_a) = ([1.0_f32, 2.0, 3.0], [0.0; 3], [0.0]);
    /// PerChannel::new(SnakeA, [&[0.0]]).backward_with_parameters(&x, &[1.0; 3], &mut grad_x, [&mut grad_a]);
    /// assert_eq!((grad_x, grad_a), ([1.0; 3], [14.0]));
    /// ```
    #[track_caller]
    pub fn backward_with_parameters(&self, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_parameters: [&mut [T]; N]) {
        self.backward_at(Level::best(), x, grad_y, grad_x, grad_parameters);
    }

    #[track_caller]
    pub(super) fn backward_at(
        &self,
        level: Level,
        x: &[T],
        grad_y: &[T],
        grad_x: &mut [T],
        mut grad_parameters: [&mut [T]; N],
    ) {
        same_length("grad_y", grad_y.len(), "x", x.len());
        same_length("grad_x", grad_x.len(), "x", x.len());
        for (gradient, parameters) in grad_parameters.iter().zip(self.parameters) {
            same_length("grad_parameters", gradient.len(), "parameters", parameters.len());
        }
        Activation::<T>::pieces(self).check(x.len());
        self.run(level, Pass::Backward { x, grad_y, grad_x });
        let loops = &Of::<F, N>(self.formula.clone());
        let (first, second) = grad_parameters.split_at_mut(1);
        let gradients = Gradients { first: &mut *first[0], second: second.first_mut().map(|second| &mut **second) };
        T::call(&RunOfGradients(level), (loops, self.channels(), x, grad_y, gradients));
    }

    fn channels(&self) -> Channels<'a, T> {
        let second = self.parameters.get(1).copied();
        Channels { first: self.parameters[0], second, inner: self.inner }
    }
}

impl<F: Parametric<N>, T: Element, const N: usize> At<PerChannel<'_, F, T, N>> {
    /// See [`PerChannel::backward_with_parameters`].
    ///
    /// # Panics
    /// If the lengths differ, or do not fit the channels, before anything is written.
    #[track_caller]
    pub fn backward_with_parameters(&self, x: &[T], grad_y: &[T], grad_x: &mut [T], grad_parameters: [&mut [T]; N]) {
        self.activation.backward_at(self.level, x, grad_y, grad_x, grad_parameters);
    }
}

impl<F: Parametric<N>, T: Element, const N: usize> Activation<T> for PerChannel<'_, F, T, N> {
    fn run(&self, level: Level, pass: Pass<'_, T>) {
        let loops = &Of::<F, N>(self.formula.clone());
        T::call(&Run(level), (loops, self.channels(), pass));
    }

    fn pieces(&self) -> Pieces {
        Pieces::Rows(period(self.parameters[0].len(), self.inner))
    }
}

/// The parameters of the channels. The second slice is used only if the formula has two.
struct Channels<'a, T> {
    first: &'a [T],
    second: Option<&'a [T]>,
    inner: usize,
}

impl<'a, T> Channels<'a, T> {
    fn part(&self, part: Range<usize>) -> Self {
        let second = self.second.map(|second| &second[part.clone()]);
        Self { first: &self.first[part], second, inner: self.inner }
    }
}

/// The parameters' gradients.
struct Gradients<'a, T> {
    first: &'a mut [T],
    second: Option<&'a mut [T]>,
}

/// The loops of the formula.
type LoopsOf<'a, T> = &'a dyn Loops<<T as Element>::Float>;

/// See [`Activation::run`].
struct Run(Level);
per_element!(Run: Args<'a, T> = (LoopsOf<'a, T>, Channels<'a, T>, Pass<'a, T>), run);

/// The gradients of the parameters.
struct RunOfGradients(Level);
per_element!(RunOfGradients: Args<'a, T> = OfGradients<'a, T>, gradients);
type OfGradients<'a, T> = (LoopsOf<'a, T>, Channels<'a, T>, &'a [T], &'a [T], Gradients<'a, T>);

fn run<T: Element>(&Run(level): &Run, (loops, channels, pass): (LoopsOf<'_, T>, Channels<'_, T>, Pass<'_, T>)) {
    if pass.len() <= SHORT {
        run_in::<T, SHORT>(level, loops, channels, pass);
    } else {
        run_in::<T, TILE>(level, loops, channels, pass);
    }
}

fn run_in<T: Element, const M: usize>(
    level: Level,
    loops: LoopsOf<'_, T>,
    channels: Channels<'_, T>,
    mut pass: Pass<'_, T>,
) {
    let inner = channels.inner;
    let (len, mut at) = (pass.len(), 0);
    let mut first = Repeated::<T, M>::new(channels.first, inner, 1);
    if let Some(second) = channels.second {
        let mut second = Repeated::<T, M>::new(second, inner, 1);
        while at < len {
            let beside = [first.piece(at, len), second.piece(at, len)];
            let part = at..at + beside[0].len();
            at = part.end;
            let run = &mut |pass: Pass<'_, T::Float>, beside: [&[T::Float]; 2]| {
                loops.run(level, pass, beside);
            };
            pass.part(part).over_floats_beside(level, beside, run);
        }
    } else {
        let is_prelu = loops.is_prelu();
        while at < len {
            let beside = first.piece(at, len);
            let part = at..at + beside.len();
            at = part.end;
            if is_prelu {
                // A call through the trait object would take 10 to 20 ns more for each piece, a fifth of the time of such a loop.
                leaky_pass(level, pass.part(part), beside);
                continue;
            }
            let run = &mut |pass: Pass<'_, T::Float>, [beside]: [&[T::Float]; 1]| {
                loops.run(level, pass, [beside, beside]);
            };
            pass.part(part).over_floats_beside(level, [beside], run);
        }
    }
}

/// Room for the parameters of each element, and for the terms.
struct Room<T: Element> {
    parameters: [Tile<T::Float, TILE>; 2],
    terms: [Tile<T::Float, TILE>; 2],
}

/// Sums of terms for some of the channels.
struct Sums<'r, T: Element, const M: usize> {
    level: Level,
    loops: LoopsOf<'r, T>,
    /// `None` for the parametric ReLU, whose loop needs no room.
    room: Option<&'r mut Room<T>>,
    first: ColumnSums<T::Float, M>,
    second: Option<ColumnSums<T::Float, M>>,
}

impl<'r, T: Element, const M: usize> Sums<'r, T, M> {
    /// The sums for rows of `width` terms.
    fn new(
        (level, loops): (Level, LoopsOf<'r, T>),
        room: &'r mut Option<Room<T>>,
        width: usize,
        channels: &Channels<'_, T>,
    ) -> Self {
        let (first, second) = (Some(channels.first), channels.second);
        if let Some(room) = room {
            for (tile, parameters) in room.parameters.iter_mut().zip([first, second].into_iter().flatten()) {
                for (run, parameter) in tile.all().chunks_mut(channels.inner).zip(parameters.iter().cycle()) {
                    run.fill(parameter.widened());
                }
            }
        }
        Self {
            level,
            loops,
            room: room.as_mut(),
            first: ColumnSums::new(width),
            second: second.map(|_| ColumnSums::new(width)),
        }
    }

    /// Adds the terms of rows. If there is room, the rows have at most as many elements as a tile.
    fn add(&mut self, x: &[T], grad_y: &[T]) {
        let Self { level, loops, room, first, second } = self;
        let level = *level;
        T::as_floats(level, [x, grad_y], [], false, |[x, grad_y], []| {
            let Some(Room { parameters: [a, b], terms: [of_first, of_second] }) = room else {
                return first.add(level, Addends::OfSlopes { x, grad_y });
            };
            let n = x.len();
            let (of_first, of_second) = (of_first.of(n), of_second.of(n));
            let (parameters, terms) = ([&*a.of(n), &*b.of(n)], [&mut *of_first, &mut *of_second]);
            loops.terms(level, Terms { x, parameters, grad_y, terms });
            first.add(level, Addends::Numbers(of_first));
            if let Some(second) = second {
                second.add(level, Addends::Numbers(of_second));
            }
        });
    }

    /// Writes the sum of a channel: of `n` columns from `from` on, of the `n` columns `step` further on, and so on.
    fn write(&mut self, gradients: &mut Gradients<'_, T>, channel: usize, from: usize, n: usize, step: usize) {
        gradients.first[channel] = T::rounded(self.first.total(from, n, step));
        if let (Some(gradient), Some(sums)) = (&mut gradients.second, &mut self.second) {
            gradient[channel] = T::rounded(sums.total(from, n, step));
        }
    }
}

fn gradients<T: Element>(
    &RunOfGradients(level): &RunOfGradients,
    (loops, mut channels, x, grad_y, mut gradients): OfGradients<'_, T>,
) {
    if x.is_empty() {
        gradients.first.fill(T::zero());
        if let Some(second) = gradients.second {
            second.fill(T::zero());
        }
        return;
    }
    let count = channels.first.len();
    if count == 1 {
        channels.inner = x.len();
    }
    let inner = channels.inner;
    let period = count * inner;
    let mut room =
        (!loops.is_prelu()).then(|| Room { parameters: [Tile::new(), Tile::new()], terms: [Tile::new(), Tile::new()] });
    if inner > LANES {
        // The elements of one channel, in as many columns as there are lanes.
        let longest = if room.is_none() && T::IS_FLOAT { inner } else { TILE };
        for channel in 0..count {
            let mut sums =
                Sums::<T, LANES>::new((level, loops), &mut room, LANES, &channels.part(channel..channel + 1));
            for start in (channel * inner..x.len()).step_by(period) {
                let run = start..start + inner;
                for (x, grad_y) in x[run.clone()].chunks(longest).zip(grad_y[run].chunks(longest)) {
                    sums.add(x, grad_y);
                }
            }
            sums.write(&mut gradients, channel, 0, LANES, LANES);
        }
    } else if period <= LANES {
        // As many periods as fit make one row.
        let width = LANES - LANES % period;
        let mut sums = Sums::<T, LANES>::new((level, loops), &mut room, width, &channels);
        for (x, grad_y) in x.chunks(TILE / width * width).zip(grad_y.chunks(TILE / width * width)) {
            sums.add(x, grad_y);
        }
        for channel in 0..count {
            sums.write(&mut gradients, channel, channel * inner, inner, period);
        }
    } else {
        // Strips of as many channels as fit into the sums.
        let strip = TILE / inner;
        for from in (0..count).step_by(strip) {
            let of_strip = from..count.min(from + strip);
            let width = of_strip.len() * inner;
            let mut sums = Sums::<T, TILE>::new((level, loops), &mut room, width, &channels.part(of_strip.clone()));
            for start in (from * inner..x.len()).step_by(period) {
                let row = start..start + width;
                sums.add(&x[row.clone()], &grad_y[row]);
            }
            for (place, channel) in of_strip.enumerate() {
                sums.write(&mut gradients, channel, place * inner, inner, width);
            }
        }
    }
}
