//! The common parts of all pictures: axes, lines, a title and a legend.

use std::ops::Range;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::curve::Curve;
use crate::svg::{Area, Drawn, INK, PIXEL, TEXT};

/// Colours of about the same contrast on white and on rustdoc's dark grey, in the order in which lines get them.
pub(crate) const COLOURS: [RGBColor; 4] =
    [RGBColor(0x2f, 0x86, 0xe0), RGBColor(0xe0, 0x6a, 0x1c), RGBColor(0x2a, 0x9d, 0x5c), RGBColor(0xa9, 0x6a, 0xd9)];

/// A graph, or several that belong together.
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    pub(crate) x: Range<f64>,
    pub(crate) y: Range<f64>,
    pub(crate) y_label: fn(f64) -> String,
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) curve: Curve,
    /// Where the slope jumps, or the curve itself.
    pub(crate) kinks: &'static [f64],
}

/// How large a chart is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// 480 pixels wide, with everything.
    Full,
    /// One of a few on a sheet, without subtitle and legend.
    Small,
    /// One of many on a sheet, also without numbers.
    Tiny,
}

impl Size {
    pub(crate) const FULL: (u32, u32) = (480, 300);

    fn width_of_lines(self) -> u32 {
        (if self == Self::Full { 2 } else { 1 }) * PIXEL as u32 + 4
    }

    /// The space around the plot, in pixels: top, left, bottom.
    fn margins(self) -> (i32, i32, i32) {
        match self {
            Self::Full => (46, 34, 20),
            Self::Small => (22, 30, 18),
            Self::Tiny => (18, 0, 0),
        }
    }
}

impl Chart {
    pub(crate) fn draw(&self, area: &Area<'_>, size: Size) -> Drawn {
        let (top, left, bottom) = size.margins();
        let heading = text(if size == Size::Full { 15 * PIXEL } else { TEXT }, HPos::Left, VPos::Top);
        area.draw(&Text::new(self.title.clone(), ((left + 2) * PIXEL, 2 * PIXEL), heading))?;
        if size == Size::Full {
            let below = ((left + 2) * PIXEL, 24 * PIXEL);
            area.draw(&Text::new(self.subtitle.clone(), below, text(TEXT, HPos::Left, VPos::Top)))?;
            self.legend(area)?;
        }

        let mut chart = ChartBuilder::on(area)
            .margin_top(top * PIXEL)
            .margin_bottom(4 * PIXEL)
            .margin_right(8 * PIXEL)
            .margin_left(2 * PIXEL)
            .x_label_area_size(bottom * PIXEL)
            .y_label_area_size(left * PIXEL)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        let labels = if size == Size::Full { (11, 7) } else { (5, 5) };
        if size != Size::Tiny {
            chart
                .configure_mesh()
                .x_labels(labels.0)
                .y_labels(labels.1)
                .light_line_style(TRANSPARENT)
                .bold_line_style(ShapeStyle { color: INK.mix(0.15), filled: false, stroke_width: PIXEL as u32 })
                .axis_style(TRANSPARENT)
                .set_all_tick_mark_size(3 * PIXEL)
                .label_style(text(TEXT, HPos::Left, VPos::Top))
                .x_label_formatter(&|x| number(*x))
                .y_label_formatter(&|y| (self.y_label)(*y))
                .draw()?;
        }
        let axis = ShapeStyle { color: INK.mix(0.7), filled: false, stroke_width: PIXEL as u32 };
        let (x, y) = (&self.x, &self.y);
        if x.contains(&0.0) {
            chart.draw_series([PathElement::new([(0.0, y.start), (0.0, y.end)], axis)])?;
        }
        if y.contains(&0.0) {
            chart.draw_series([PathElement::new([(x.start, 0.0), (x.end, 0.0)], axis)])?;
        }

        // The first line is drawn last, on top.
        for (line, colour) in self.lines.iter().zip(COLOURS).rev() {
            let style = colour.stroke_width(size.width_of_lines());
            let shown = |y: f64| self.y.contains(&y);
            let pieces = line.curve.pieces.iter().flat_map(|piece| piece.split(|(_, y)| !shown(*y)));
            chart.draw_series(pieces.map(|piece| PathElement::new(piece, style)))?;

            let radius = if size == Size::Full { 4 * PIXEL } else { 2 * PIXEL };
            let kinks = line.kinks.iter().filter_map(|x| line.curve.at(*x).map(|y| (*x, y)));
            let closed = line.curve.jumps.iter().map(|[closed, _]| *closed).chain(kinks);
            chart.draw_series(
                closed.filter(|(_, y)| shown(*y)).map(|point| Circle::new(point, radius, colour.filled())),
            )?;
            let open = line.curve.jumps.iter().map(|[_, open]| *open).filter(|(_, y)| shown(*y));
            chart.draw_series(open.map(|point| Circle::new(point, radius, style)))?;
        }
        Ok(())
    }

    /// At the top right, on the line of the title.
    fn legend(&self, area: &Area<'_>) -> Drawn {
        let y = 10 * PIXEL;
        let mut right = (Size::FULL.0 as i32 - 8) * PIXEL;
        for (line, colour) in self.lines.iter().zip(COLOURS).rev() {
            area.draw(&Text::new(line.label.clone(), (right, y), text(TEXT, HPos::Right, VPos::Center)))?;
            // A letter is about 6 pixels wide.
            right -= line.label.len() as i32 * 6 * PIXEL + 4 * PIXEL;
            let style = colour.stroke_width(Size::Full.width_of_lines());
            area.draw(&PathElement::new([(right - 18 * PIXEL, y), (right, y)], style))?;
            right -= 30 * PIXEL;
        }
        Ok(())
    }
}

fn text(size: i32, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size)).color(&INK).pos(Pos::new(horizontal, vertical))
}

/// A number in the usual notation.
pub(crate) fn number(x: f64) -> String {
    let rounded = (x * 1000.0).round() / 1000.0;
    // Minus zero is written as zero.
    format!("{}", rounded + 0.0)
}
