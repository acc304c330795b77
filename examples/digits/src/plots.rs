//! The pictures: the progress of training by epoch, and the gradients by layer.
//!
//! Backgrounds are transparent, and lines and letters have a middle tone, so that pictures are readable on white and on black.

use std::error::Error;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::functions::Function;
use crate::train::{Epoch, Outcome};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

const GREY: RGBColor = RGBColor(128, 128, 128);
const FONT: (&str, f64) = ("sans-serif", 16.0);
/// The margin of a picture.
const MARGIN: i32 = 10;
const LINE: i32 = 24;

/// The colour of a function's curves.
fn colour(function: Function) -> RGBColor {
    match function {
        Function::Sigmoid => RGBColor(225, 87, 89),
        Function::Tanh => RGBColor(242, 142, 43),
        Function::Relu => RGBColor(66, 133, 200),
        Function::LeakyRelu => RGBColor(64, 180, 190),
        Function::Gelu => RGBColor(80, 165, 70),
        Function::SwiGlu => RGBColor(176, 110, 190),
    }
}

/// Draws an SVG of this size.
fn picture(width: i32, height: i32, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (width.unsigned_abs(), height.unsigned_abs())).into_drawing_area();
    draw(&area)?;
    area.present()?;
    drop(area);
    Ok(svg)
}

fn text<C: Color>(area: &Area<'_>, text: &str, (x, y): (i32, i32), side: HPos, colour: &C) -> Drawn {
    let style = FONT.into_font().color(colour).pos(Pos::new(side, VPos::Center));
    Ok(area.draw(&Text::new(text.to_owned(), (x, y), style))?)
}

/// Loss (above) and accuracy (below) by epoch: a column for each depth, a line for each function.
pub(crate) fn curves(by_depth: &[Vec<Outcome>]) -> Result<String, Box<dyn Error>> {
    let epochs = || by_depth.iter().flatten().flat_map(|outcome| &outcome.epochs);
    let log_losses = epochs().map(|epoch| epoch.loss.log10()).filter(|loss| loss.is_finite());
    let least = log_losses.fold(0.0, f64::min).max(-6.0);

    picture(240 * by_depth.len().max(3) as i32, 560, |area| {
        let (legend, panels) = area.split_vertically(2 * LINE);
        let mut x = 2 * MARGIN;
        for outcome in by_depth.iter().take(1).flatten() {
            legend.draw(&Rectangle::new([(x, LINE - 2), (x + 20, LINE + 1)], colour(outcome.function).filled()))?;
            text(&legend, &outcome.function.to_string(), (x + 26, LINE), HPos::Left, &GREY)?;
            x += 110;
        }
        let panels = panels.split_evenly((2, by_depth.len()));
        let (losses, accuracies) = panels.split_at(by_depth.len());
        for (panel, outcomes) in losses.iter().zip(by_depth) {
            let title = format!("loss by epoch, {} hidden layers", outcomes[0].depth);
            // Up to 4. A network that has learned nothing has ln 10.
            let axis = Axis { title, range: least..4.0_f64.log10(), label: &|loss| format!("1e{loss}") };
            lines(panel, outcomes, axis, |epoch| epoch.loss.log10())?;
        }
        for (panel, outcomes) in accuracies.iter().zip(by_depth) {
            let axis = Axis {
                title: "accuracy by epoch, held out".into(),
                range: 0.0..1.0,
                label: &|part| format!("{:.0} %", 100.0 * part),
            };
            lines(panel, outcomes, axis, |epoch| epoch.accuracy)?;
        }
        Ok(())
    })
}

/// The labels of a chart.
struct Axis<'a> {
    title: String,
    range: Range<f64>,
    label: &'a dyn Fn(&f64) -> String,
}

fn lines(panel: &Area<'_>, outcomes: &[Outcome], axis: Axis<'_>, value: impl Fn(&Epoch) -> f64) -> Drawn {
    let font = || FONT.into_font().color(&GREY);
    let last = outcomes.iter().map(|outcome| outcome.epochs.len()).max().unwrap_or(0);
    let mut chart = ChartBuilder::on(panel)
        .margin(MARGIN)
        .margin_right(2 * MARGIN)
        .caption(axis.title, font())
        .x_label_area_size(LINE)
        .y_label_area_size(2 * LINE)
        .build_cartesian_2d(0..last, axis.range.clone())?;
    chart
        .configure_mesh()
        .axis_style(GREY)
        .bold_line_style(GREY.mix(0.3))
        .light_line_style(TRANSPARENT)
        .label_style(font())
        .x_labels(4)
        .y_labels(5)
        .y_label_formatter(axis.label)
        .draw()?;
    for outcome in outcomes {
        let points = outcome.epochs.iter().enumerate().map(|(i, epoch)| (i + 1, value(epoch)));
        // NaN is left out. Numbers out of the range are drawn at its edge.
        let points = points.filter(|(_, y)| !y.is_nan()).map(|(x, y)| (x, y.clamp(axis.range.start, axis.range.end)));
        chart.draw_series(LineSeries::new(points, colour(outcome.function).stroke_width(2)))?;
    }
    Ok(())
}

const CELL: (i32, i32) = (38, 26);
/// Room for the functions' names, to the left of the cells.
const NAMES: i32 = 100;
/// Room for the colour bar, to the right of the cells.
const BAR: i32 = 110;
/// The number of colours in the bar.
const BANDS: i32 = 64;

/// The length of the gradient of each layer, before and after the training, for networks of one depth: a row for each function, a column
/// for each layer.
pub(crate) fn gradients(outcomes: &[Outcome]) -> Result<String, Box<dyn Error>> {
    let depth = outcomes[0].depth;
    let logs = outcomes.iter().flat_map(|outcome| outcome.gradients.iter().flatten()).map(|length| length.log10());
    let logs = logs.filter(|log| log.is_finite());
    let scale = Scale { least: logs.clone().fold(-1.0, f64::min), most: logs.fold(0.0, f64::max) };
    let column = |layer: usize| MARGIN + NAMES + CELL.0 * layer as i32;
    let right = column(depth + 1);
    let table = LINE * 2 + CELL.1 * outcomes.len() as i32 + MARGIN;

    picture(right + BAR, LINE + 2 * table + MARGIN, |area| {
        let title = format!("log10 of the length of each layer's gradient, {depth} hidden layers and the output layer");
        text(area, &title, (MARGIN, LINE - 4), HPos::Left, &GREY)?;
        for (i, when) in ["before the training", "after the training"].into_iter().enumerate() {
            let top = LINE + table * i as i32;
            text(area, when, (MARGIN, top + LINE - 4), HPos::Left, &GREY)?;
            for layer in 0..=depth {
                let name = if layer == depth { "out".to_owned() } else { (layer + 1).to_string() };
                text(area, &name, (column(layer) + CELL.0 / 2, top + 3 * LINE / 2), HPos::Center, &GREY)?;
            }
            for (row, outcome) in outcomes.iter().enumerate() {
                let y = top + 2 * LINE + CELL.1 * row as i32;
                text(area, &outcome.function.to_string(), (MARGIN + NAMES - 8, y + CELL.1 / 2), HPos::Right, &GREY)?;
                for (layer, length) in outcome.gradients[i].iter().enumerate() {
                    scale.draw_cell(area, (column(layer), y), *length)?;
                }
            }
        }
        scale.draw_bar(area, right + 2 * MARGIN, (LINE * 3, LINE + 2 * table - MARGIN))
    })
}

/// The colours of logarithms.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    fn colour(&self, log: f64) -> RGBColor {
        ViridisRGB::get_color_normalized(log, self.least, self.most)
    }

    fn draw_cell(&self, area: &Area<'_>, (x, y): (i32, i32), length: f64) -> Drawn {
        let log = length.log10();
        let (fill, name) = match log {
            // Adds 0, so that -0.0 is not printed.
            log if log.is_finite() => (self.colour(log), format!("{:.1}", (10.0 * log).round() / 10.0 + 0.0)),
            _ => (GREY, if length == 0.0 { "0" } else { "NaN" }.to_owned()),
        };
        area.draw(&Rectangle::new([(x, y), (x + CELL.0 - 1, y + CELL.1 - 1)], fill.filled()))?;
        let RGBColor(red, green, _) = fill;
        let ink = if u32::from(red) + 2 * u32::from(green) > 380 { BLACK } else { WHITE };
        text(area, &name, (x + CELL.0 / 2, y + CELL.1 / 2), HPos::Center, &ink)
    }

    /// The bar, and its labels at round powers of ten.
    fn draw_bar(&self, area: &Area<'_>, x: i32, (top, bottom): (i32, i32)) -> Drawn {
        let height = f64::from(bottom - top);
        let edge = |band: i32| top + (bottom - top) * band / BANDS;
        for band in 0..BANDS {
            let log = self.most + (self.least - self.most) * (f64::from(band) + 0.5) / f64::from(BANDS);
            let corners = [(x, edge(band)), (x + 20, edge(band + 1))];
            area.draw(&Rectangle::new(corners, self.colour(log).filled()))?;
        }
        let step = ((self.most - self.least) / 8.0).ceil();
        let powers = (0..).map(|i| (self.most / step).floor() * step - step * f64::from(i));
        for power in powers.take_while(|power| *power >= self.least) {
            let y = top + ((self.most - power) / (self.most - self.least) * height) as i32;
            area.draw(&PathElement::new([(x + 20, y), (x + 25, y)], GREY))?;
            text(area, &format!("1e{power}"), (x + 30, y), HPos::Left, &GREY)?;
        }
        Ok(())
    }
}
