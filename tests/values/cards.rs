//! Compares ranges and kinks of the cards with the formulas, without a loop. The suite checks more closely.

use activations::AnyActivation;

use super::{Formula, formulas_f64};

fn value(formulas: &[Formula<f64>], name: &str) -> impl Fn(f64) -> f64 {
    let formula = formulas.iter().find(|f| f.name == name && f.what == "forward").expect(name);
    |x| (formula.at)(x)
}

/// Functions of single elements.
fn cards(formulas: &[Formula<f64>]) -> impl Iterator<Item = activations::Card> {
    AnyActivation::all().map(|a| a.card()).filter(|card| formulas.iter().any(|f| f.name == card.name))
}

#[test]
fn ranges_end_where_the_values_do() {
    let formulas = formulas_f64();
    for card in cards(&formulas) {
        let f = value(&formulas, card.name);
        let near = (-1_600..1_600).map(|i| f64::from(i) / 128.0);
        let (least, greatest) = near
            .chain([-1e300, 1e300])
            .map(f)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), y| (least.min(y), greatest.max(y)));
        for (found, end) in [(least, card.range.0), (greatest, card.range.1)] {
            let reached = if end.is_infinite() { found * end.signum() > 1e297 } else { (found - end).abs() < 1e-3 };
            assert!(reached, "{}: values end at {found}, the card says {end}", card.name);
        }
    }
}

#[test]
fn slopes_jump_at_the_kinks() {
    let formulas = formulas_f64();
    for card in cards(&formulas) {
        let f = value(&formulas, card.name);
        assert!(card.kinks.is_sorted_by(|left, right| left < right), "{}: kinks {:?}", card.name, card.kinks);
        for &kink in card.kinks {
            let h = 1e-6;
            let (left, right) = ((f(kink) - f(kink - h)) / h, (f(kink + h) - f(kink)) / h);
            assert!((left - right).abs() > 1e-2, "{}: no kink at {kink}: slopes {left}, {right}", card.name);
        }
    }
}
