//! The judge: it records which cells ran, and which of them are wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::big::Big;
use crate::cases::Case;
use crate::number::{Number, TYPES, show};

/// The exact result, or the ends of the range that it may have where the documentation allows an error of the input; and how far off a
/// computed result may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    lo: Big,
    hi: Big,
    /// ULP of the type of computation, at a magnitude of at least `floor`.
    ulp: f64,
    floor: Big,
    absolute: Big,
    /// Whether the sign of a result that is too small for the type is checked.
    signed_zero: bool,
}

impl Expected {
    pub(crate) fn of(exact: Big, ulp: f64) -> Self {
        Self { lo: exact, hi: exact, ulp, floor: Big::ZERO, absolute: Big::ZERO, signed_zero: true }
    }

    pub(crate) fn nan() -> Self {
        Self::of(Big::NAN, 0.0)
    }

    pub(crate) fn between(lo: Big, hi: Big, ulp: f64) -> Self {
        Self { lo, hi, ..Self::of(lo, ulp) }
    }

    /// The ULP are those at this magnitude or above.
    pub(crate) fn floor(self, floor: Big) -> Self {
        Self { floor, ..self }
    }

    /// Allows a zero of either sign if the number is too small for the type.
    pub(crate) fn any_zero(self) -> Self {
        Self { signed_zero: false, ..self }
    }

    /// Allows this additional error.
    pub(crate) fn within(self, absolute: Big) -> Self {
        Self { absolute, ..self }
    }

    /// Allows this many ULP instead.
    pub(crate) fn ulps(self, ulp: f64) -> Self {
        Self { ulp, ..self }
    }

    /// Times 1 or -1.
    pub(crate) fn signed(self, sign: Big) -> Self {
        if sign.is_negative() { Self { lo: -self.hi, hi: -self.lo, ..self } } else { self }
    }

    /// The product of this computed number with an exact one, rounded once more.
    pub(crate) fn times<T: Number>(&self, factor: Big) -> Self {
        let slack = self.slack::<T>(self.lo).max(self.slack::<T>(self.hi)) * factor.abs();
        let (a, b) = (self.lo * factor, self.hi * factor);
        let (lo, hi) = if b < a { (b, a) } else { (a, b) };
        Self { signed_zero: self.signed_zero, ..Self::between(lo, hi, 0.5).within(slack) }
    }

    /// The exact result, if there is only one.
    pub(crate) fn exact(&self) -> Big {
        self.lo
    }

    /// How far off the result may be in the type of computation.
    pub(crate) fn noise<T: Number>(&self) -> Big {
        self.slack::<T>(self.lo)
    }

    /// The error that the result may have in the type of computation.
    fn slack<T: Number>(&self, exact: Big) -> Big {
        Big::of(self.ulp) * T::spacing_of_computation(exact.abs().max(self.floor)) + self.absolute
    }

    /// An error with a message if the result is wrong.
    pub(crate) fn judge<T: Number>(&self, got: T) -> Result<(), String> {
        let wrong = |why: &str| Err(format!("expected {}, got {}: {why}", self.lo, show(got)));
        if self.lo.is_nan() || self.hi.is_nan() {
            return if got.is_nan() { Ok(()) } else { wrong("no NaN") };
        }
        if got.is_nan() {
            return wrong("NaN");
        }
        // Infinity counts as the power of two that would come next.
        let beyond = Big::ONE.scaled(T::GREATEST + 1);
        let number = if got.is_infinite() { if got < T::zero() { -beyond } else { beyond } } else { got.big() };
        let exact = if number < self.lo {
            self.lo
        } else if self.hi < number {
            self.hi
        } else {
            return Ok(());
        };
        if exact.is_infinite() {
            return if got.is_infinite() && got.is_sign_negative() == exact.is_negative() {
                Ok(())
            } else {
                wrong("no infinity")
            };
        }
        let slack = self.slack::<T>(exact);
        if got.is_finite() && beyond <= exact.abs() - slack {
            return wrong("no infinity");
        }
        if got.is_infinite() && self.lo.is_zero() && self.hi.is_zero() {
            return wrong("infinity");
        }
        let bounded = if beyond < exact {
            beyond
        } else if exact < -beyond {
            -beyond
        } else {
            exact
        };
        let error = (number - bounded).abs();
        let ulp = T::spacing(exact.abs().min(beyond.scaled(-1)));
        let allowed = if T::IS_HALF { ulp.max(ulp.scaled(-1) + slack) } else { slack };
        if allowed < error {
            let range = if self.lo == self.hi { String::new() } else { format!(" to {}", self.hi) };
            return Err(format!(
                "expected {}{range}, got {}: {:.3} ULP, {:.3} are allowed",
                self.lo,
                show(got),
                (error / ulp).to_f64(),
                (allowed / ulp).to_f64()
            ));
        }
        // A result that is too small for the type is a zero of the right sign.
        let least = T::spacing(Big::ZERO);
        let counts = self.signed_zero && self.absolute.is_zero() && self.lo.is_negative() == self.hi.is_negative();
        if counts
            && got.is_zero()
            && exact.is_ordinary()
            && exact.abs() < least
            && got.is_sign_negative() != exact.is_negative()
        {
            return wrong("the other zero");
        }
        Ok(())
    }
}

/// The cells of a module.
pub(crate) struct Judge {
    module: &'static str,
    /// Public name, description, and type; with the cases that ran.
    cells: BTreeMap<(String, String, &'static str), BTreeSet<Case>>,
    /// The first wrong result of a cell, and the number of others.
    wrong: BTreeMap<(String, String, &'static str, Case), (String, usize)>,
}

impl Judge {
    pub(crate) fn new(module: &'static str) -> Self {
        Self { module, cells: BTreeMap::new(), wrong: BTreeMap::new() }
    }

    /// Judges one result of a cell. `name` is a public method; `what` names the function that it belongs to, or its settings.
    pub(crate) fn check<T: Number>(
        &mut self,
        (name, what, case): (&str, &str, Case),
        place: impl Fn() -> String,
        expected: Expected,
        got: T,
    ) {
        self.cell::<T>(name, what, case);
        if let Err(why) = expected.judge(got) {
            self.add::<T>((name, what, case), format!("{}: {why}", place()));
        }
    }

    pub(crate) fn cell<T: Number>(&mut self, name: &str, what: &str, case: Case) {
        self.cells.entry((name.to_owned(), what.to_owned(), T::TYPE)).or_default().insert(case);
    }

    fn add<T: Number>(&mut self, (name, what, case): (&str, &str, Case), why: String) {
        self.wrong.entry((name.to_owned(), what.to_owned(), T::TYPE, case)).or_insert((why, 0)).1 += 1;
    }

    /// A slice of results.
    pub(crate) fn slice<T: Number>(
        &mut self,
        cell: (&str, &str, Case),
        place: &str,
        x: &[T],
        expected: &[Expected],
        got: &[T],
    ) {
        let (name, what, case) = cell;
        self.cell::<T>(name, what, case);
        assert_eq!(expected.len(), got.len(), "{name} {what} {place}: the test's own lengths");
        for (i, (expected, &got)) in expected.iter().zip(got).enumerate() {
            if let Err(why) = expected.judge(got) {
                let of = x.get(i).map_or_else(String::new, |&x| format!(", x = {:?}", show(x)));
                self.add::<T>(cell, format!("{place}, element {i}{of}: {why}"));
            }
        }
    }

    /// A slice of results that are not rounded to the element, but have the type of computation.
    pub(crate) fn wide<T: Number<Float: Number>>(
        &mut self,
        cell: (&str, &str, Case),
        place: &str,
        expected: &[Expected],
        got: &[T::Float],
    ) {
        let (name, what, case) = cell;
        self.cell::<T>(name, what, case);
        assert_eq!(expected.len(), got.len(), "{name} {what} {place}: the test's own lengths");
        for (i, (expected, &got)) in expected.iter().zip(got).enumerate() {
            if let Err(why) = expected.judge(got) {
                self.add::<T>(cell, format!("{place}, element {i}: {why}"));
            }
        }
    }

    /// Two results that must have the same bits.
    pub(crate) fn same<T: Number>(&mut self, cell: (&str, &str, Case), place: &str, expected: &[T], got: &[T]) {
        let (name, what, case) = cell;
        self.cell::<T>(name, what, case);
        let same = |(a, b): (&T, &T)| a.bits() == b.bits() || (a.is_nan() && b.is_nan());
        if expected.len() != got.len() {
            self.add::<T>(cell, format!("{place}: {} elements for {}", got.len(), expected.len()));
        } else if let Some(i) = expected.iter().zip(got).position(|pair| !same(pair)) {
            let (expected, got) = (show(expected[i]), show(got[i]));
            self.add::<T>(cell, format!("{place}, element {i}: expected the bits of {expected:?}, got {got:?}"));
        }
    }

    /// # Panics
    /// If a cell is wrong, or if the cells that ran are not those that the module says it covers: each of these public names, in every type
    /// and case.
    pub(crate) fn finish(self, covered: &[String]) {
        let names: BTreeSet<&str> = self.cells.keys().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(
            names,
            covered.iter().map(String::as_str).collect(),
            "{}: what ran is not what is listed",
            self.module
        );
        for ((name, what, of), cases) in &self.cells {
            let missing: Vec<_> = Case::ALL.iter().filter(|case| !cases.contains(case)).collect();
            assert!(missing.is_empty(), "{} has no {missing:?} of {name}, {what}, {of}", self.module);
        }
        let functions: BTreeSet<_> = self.cells.keys().map(|(name, what, _)| (name, what)).collect();
        let cells: usize = self.cells.values().map(BTreeSet::len).sum();
        assert_eq!(functions.len() * TYPES * Case::ALL.len(), cells, "{}: a function without a type", self.module);
        println!(
            "{}: {} functions x {TYPES} types x {} cases = {cells} cells, {} wrong",
            self.module,
            functions.len(),
            Case::ALL.len(),
            self.wrong.len()
        );
        if self.wrong.is_empty() {
            return;
        }
        let mut text = format!("{}: {} of {cells} cells are wrong\n", self.module, self.wrong.len());
        for ((name, what, of, case), (first, count)) in &self.wrong {
            text.push_str(&format!("  {name} | {what} | {of} | {case:?} | {count} wrong; {first}\n"));
        }
        panic!("{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejects<T: Number>(expected: Expected, got: f64) -> bool {
        expected.judge(T::of(got)).is_err()
    }

    #[test]
    fn the_judge_admits_the_bound_and_no_more() {
        let one = |ulp| Expected::of(Big::ONE, ulp);
        let step = f64::from(f32::EPSILON);
        assert!(!rejects::<f32>(one(2.0), 1.0 + 2.0 * step) && rejects::<f32>(one(2.0), 1.0 + 3.0 * step));
        assert!(!rejects::<f32>(one(0.0), 1.0) && rejects::<f32>(one(0.0), 1.0 - step / 2.0));
        assert!(!rejects::<f32>(Expected::between(Big::ZERO, Big::ONE, 1.0), 0.3));
        assert!(rejects::<f32>(Expected::between(Big::ZERO, Big::ONE, 1.0), 1.0 + 2.0 * step));
        // ULP of a greater number, plus an absolute error.
        assert!(
            !rejects::<f32>(Expected::of(Big::ZERO, 1.0).floor(Big::ONE), step) && rejects::<f32>(one(1.0), f64::NAN)
        );
        assert!(
            !rejects::<f32>(one(0.0).within(Big::of(0.1)), 1.05) && rejects::<f32>(one(0.0).within(Big::of(0.1)), 1.2)
        );
        // A product has the error of its computed factor, plus a rounding.
        assert!(!rejects::<f32>(one(1.0).times::<f32>(Big::of(-1.5)), -1.5 - step));
        assert!(rejects::<f32>(one(1.0).times::<f32>(Big::of(-1.5)), -1.5 - 3.0 * step));
    }

    #[test]
    fn the_judge_knows_nan_infinities_and_signs() {
        let (least, infinity) = (f64::from(f32::from_bits(1)), Big::of(f64::INFINITY));
        assert!(rejects::<f32>(Expected::nan(), 0.0) && !rejects::<f32>(Expected::nan(), f64::NAN));
        assert!(
            rejects::<f32>(Expected::of(infinity, 3.0), 1e38)
                && rejects::<f32>(Expected::of(infinity, 3.0), f64::NEG_INFINITY)
        );
        assert!(
            rejects::<f32>(Expected::of(Big::of(1e39), 3.0), 3.4e38)
                && !rejects::<f32>(Expected::of(Big::of(1e39), 3.0), f64::INFINITY)
        );
        assert!(
            rejects::<f32>(Expected::of(Big::of(3e38), 3.0), f64::INFINITY)
                && rejects::<f32>(Expected::of(Big::ZERO, 3.0), f64::INFINITY)
        );
        // Below the least number the result is a zero of the right sign.
        let tiny = Expected::of(-Big::of(least).scaled(-9), 1.0);
        assert!(rejects::<f32>(tiny, 0.0) && !rejects::<f32>(tiny, -0.0) && !rejects::<f32>(tiny.any_zero(), 0.0));
        assert!(
            !rejects::<f32>(Expected::of(Big::of(1.5 * least), 0.5), least)
                && rejects::<f32>(Expected::of(Big::of(1.5 * least), 0.5), 0.0)
        );
    }

    #[cfg(feature = "half")]
    #[test]
    fn a_half_is_the_rounded_result_or_its_neighbour() {
        use half::f16;
        let exact = Expected::of(Big::ONE + Big::ONE.scaled(-12), 3.0);
        let step = 2.0_f64.powi(-10);
        assert!(
            !rejects::<f16>(exact, 1.0)
                && !rejects::<f16>(exact, 1.0 + step)
                && rejects::<f16>(exact, 1.0 + 2.0 * step)
        );
        assert!(rejects::<f16>(exact, 1.0 - step), "1.25 ULP below, two steps of the half");
        // Parts that cancel in `f32` leave an error of their own magnitude.
        assert!(!rejects::<f16>(Expected::of(Big::of(1e-9), 1.0).within(Big::of(1e-5)), 1e-5));
        assert!(
            rejects::<f16>(Expected::of(Big::of(7e4), 1.0), 65_504.0)
                && !rejects::<f16>(Expected::of(Big::of(65_510.0), 1.0), f64::INFINITY)
        );
    }
}
