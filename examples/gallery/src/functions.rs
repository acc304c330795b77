//! A picture of each function with its derivative, of each loss with its gradient, and sheets of the functions.

use std::fmt::Write;

use activations::{Activation, AnyActivation, BinaryCrossEntropy, CrossEntropy, Pieces};

use crate::chart::{Chart, Line, Size, number};
use crate::curve::Curve;
use crate::svg::{Drawn, document, part_of_a_page};

/// The least and the greatest x, unless something interesting is farther out.
const REACH: i32 = 5;

/// Columns of the sheet, and the size of one picture on it.
const COLUMNS: usize = 8;
const CELL: (u32, u32) = (104, 96);

/// The name and the picture of each function.
pub(crate) fn each() -> impl Iterator<Item = (String, String)> {
    AnyActivation::all().map(|activation| picture(&chart(&activation), "its derivative"))
}

/// The name and the picture of a function or a loss, with its derivative.
pub(crate) fn picture(chart: &Chart, belongs: &str) -> (String, String) {
    let label = format!("{} and {belongs}", chart.title);
    (chart.title.clone(), document(&label, Size::FULL, |area| chart.draw(area, Size::Full)))
}

/// The sheet of all functions.
pub(crate) fn overview() -> String {
    let activations: Vec<_> = AnyActivation::all().collect();
    let label = format!("{} functions (blue) and their derivatives (orange)", activations.len());
    sheet(&label, COLUMNS, CELL, Size::Tiny, activations.iter().map(chart).collect())
}

/// The same for the documentation's first page. Each curve is a link to the page of its type, and a row has as many as fit on the screen.
pub(crate) fn links() -> String {
    // Names have the colour of links.
    const STYLE: &str = "display:flex;flex-wrap:wrap;font-family:sans-serif;fill:var(--link-color,#3873ad)";
    let mut page = format!("<div style=\"{STYLE}\">\n");
    for activation in AnyActivation::all() {
        let curve = part_of_a_page(activation.card().name, CELL, |area| chart(&activation).draw(area, Size::Tiny));
        let variant = format!("{activation:?}");
        let (name, _) = variant.split_once('(').expect("a type in a variant of its name");
        writeln!(page, "<a href=\"struct.{name}.html\">{curve}</a>").expect("a string takes everything");
    }
    page + "</div>\n"
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
    let parameters: Vec<_> =
        activation.parameters().map(|(name, value)| format!("{name} = {}", number(value))).collect();
    if Activation::<f32>::pieces(activation) == Pieces::Elements {
        let also = if parameters.is_empty() { String::new() } else { format!("; {}", parameters.join(", ")) };
        plot(card.name, format!("{}{also}", card.formula), card.kinks, of_one_number(activation))
    } else {
        plot(card.name, format!("{}; here {ROW}", card.formula), &[], of_rows(activation))
    }
}

/// A line's name and the function that it is the graph of.
pub(crate) type Labelled<'a> = (&'static str, Box<dyn Fn(f32) -> f32 + 'a>);

/// `kinks` are the kinks of the first line.
pub(crate) fn plot(title: &str, subtitle: String, kinks: &'static [f64], lines: Vec<Labelled<'_>>) -> Chart {
    let far = kinks.iter().fold(REACH, |far, kink| far.max(*kink as i32 + 2));
    let line = |(i, (label, f)): (usize, Labelled<'_>)| Line {
        label: label.into(),
        curve: Curve::of(f, -REACH, far),
        kinks: if i == 0 { kinks } else { &[] },
    };
    let lines: Vec<_> = lines.into_iter().enumerate().map(line).collect();
    let (low, high) = lines
        .iter()
        .map(|line| line.curve.extent())
        .fold((0.0_f64, 0.0_f64), |(low, high), (l, h)| (low.min(l), high.max(h)));
    let (low, high) = (low.max(f64::from(-REACH)), high.min(f64::from(far)));
    let edge = 0.06 * (high - low);
    Chart {
        title: title.into(),
        subtitle,
        x: f64::from(-REACH)..f64::from(far),
        y: low - edge..high + edge,
        y_label: number,
        lines,
    }
}

fn of_one_number(activation: &AnyActivation) -> Vec<Labelled<'_>> {
    vec![("f", Box::new(|x| activation.forward_vec(&[x])[0])), ("f'", Box::new(|x| activation.derivative_vec(&[x])[0]))]
}

/// The row that is drawn.
const ROW: &str = "(x, 0, 1)";

/// The outputs of a row, and the derivative of the first one with respect to x.
fn of_rows(activation: &AnyActivation) -> Vec<Labelled<'_>> {
    let output = |i: usize| move |x| activation.forward_vec(&row(x))[i];
    vec![
        ("y[0]", Box::new(output(0))),
        ("dy[0]/dx", Box::new(|x| activation.derivative_vec(&row(x))[0])),
        ("y[1]", Box::new(output(1))),
        ("y[2]", Box::new(output(2))),
    ]
}

fn row(x: f32) -> [f32; 3] {
    [x, 0.0, 1.0]
}

/// The name and the picture of each loss.
pub(crate) fn losses() -> impl Iterator<Item = (String, String)> {
    let rows = |x| {
        let mut grad = [0.0; 3];
        let loss = CrossEntropy::new(3).expect("three classes").loss_and_gradient(&row(x), &[0], &mut grad);
        (loss, grad[0])
    };
    let binary = |target: f32| {
        move |x| {
            let mut grad = [0.0];
            (BinaryCrossEntropy::new().loss_and_gradient(&[x], &[target], &mut grad), grad[0])
        }
    };
    let (one, zero) = (binary(1.0), binary(0.0));
    let charts = [
        plot(
            "cross_entropy",
            format!("of the logits {ROW}, class 0"),
            &[],
            vec![("loss", Box::new(move |x| rows(x).0)), ("gradient", Box::new(move |x| rows(x).1))],
        ),
        plot(
            "binary_cross_entropy",
            "of the logit x and the target t".into(),
            &[],
            vec![
                ("t = 1", Box::new(move |x| one(x).0)),
                ("d/dx", Box::new(move |x| one(x).1)),
                ("t = 0", Box::new(move |x| zero(x).0)),
                ("d/dx", Box::new(move |x| zero(x).1)),
            ],
        ),
    ];
    charts.into_iter().map(|chart| picture(&chart, "its gradient"))
}
