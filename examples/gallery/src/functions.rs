//! A picture of each function with its derivative, and a sheet of all of them.

use activations::{Activation, AnyActivation};

use crate::chart::{Chart, Line, Size, number};
use crate::curve::Curve;
use crate::svg::{Drawn, document};

/// The least and the greatest x, unless there is something to see farther out.
const REACH: i32 = 5;

/// Columns of the sheet, and the size of one picture on it.
const COLUMNS: usize = 7;
const CELL: (u32, u32) = (118, 96);

/// Name and picture of each function.
pub(crate) fn each() -> impl Iterator<Item = (&'static str, String)> {
    AnyActivation::all().map(|activation| {
        let name = activation.card().name;
        let label = format!("{name} and its derivative");
        (name, document(&label, Size::FULL, |area| chart(&activation).draw(area, Size::Full)))
    })
}

/// All of them.
pub(crate) fn overview() -> String {
    let activations: Vec<_> = AnyActivation::all().collect();
    let label = format!("{} functions (blue) and their derivatives (orange)", activations.len());
    sheet(&label, COLUMNS, CELL, Size::Tiny, activations.iter().map(chart).collect())
}

/// Charts in rows.
pub(crate) fn sheet(label: &str, columns: usize, cell: (u32, u32), size: Size, charts: Vec<Chart>) -> String {
    let rows = charts.len().div_ceil(columns);
    let whole = (cell.0 * columns as u32, cell.1 * rows as u32);
    document(label, whole, |area| -> Drawn {
        area.split_evenly((rows, columns)).iter().zip(charts).try_for_each(|(area, chart)| chart.draw(area, size))
    })
}

fn chart(activation: &AnyActivation) -> Chart {
    let card = activation.card();
    let alone = Activation::<f32>::piece_len(activation) == Some(1);
    let lines = if alone { of_one_number(activation) } else { of_rows(activation) };

    let far = card.kinks.iter().fold(REACH, |far, kink| far.max(*kink as i32 + 2));
    let (low, high) = lines
        .iter()
        .map(|(_, f)| Curve::of(f, -REACH, far).extent())
        .fold((0.0_f64, 0.0_f64), |(low, high), (l, h)| (low.min(l), high.max(h)));
    let (low, high) = (low.max(f64::from(-REACH)), high.min(f64::from(far)));
    let edge = 0.06 * (high - low);

    let parameters: Vec<_> = activation.parameters().map(|(name, value)| format!("{name} = {}", number(value))).collect();
    let also = if alone { parameters.join(", ") } else { "here (x, 0, 1)".into() };
    Chart {
        title: card.name.into(),
        subtitle: if also.is_empty() { card.formula.into() } else { format!("{}; {also}", card.formula) },
        x: f64::from(-REACH)..f64::from(far),
        y: low - edge..high + edge,
        y_label: number,
        lines: lines
            .into_iter()
            .enumerate()
            .map(|(i, (label, f))| Line {
                label: label.into(),
                curve: Curve::of(f, -REACH, far),
                kinks: if alone && i == 0 { card.kinks } else { &[] },
            })
            .collect(),
    }
}

type Labelled<'a> = (&'static str, Box<dyn Fn(f32) -> f32 + 'a>);

fn of_one_number(activation: &AnyActivation) -> Vec<Labelled<'_>> {
    vec![
        ("f", Box::new(|x| activation.forward_vec(&[x])[0])),
        ("f'", Box::new(|x| activation.derivative_vec(&[x])[0])),
    ]
}

/// The outputs of the row (x, 0, 1), and how the first one follows x.
fn of_rows(activation: &AnyActivation) -> Vec<Labelled<'_>> {
    let output = |i: usize| move |x| activation.forward_vec(&[x, 0.0, 1.0])[i];
    vec![
        ("x", Box::new(output(0))),
        ("dx", Box::new(|x| activation.derivative_vec(&[x, 0.0, 1.0])[0])),
        ("0", Box::new(output(1))),
        ("1", Box::new(output(2))),
    ]
}
