//! A backend of `plotters` that writes small SVG, for pages and for files.
//!
//! Coordinates are whole tenths of a pixel. Invisible points of polylines are left out, and neighbours of one style become one path. Text
//! and axes have the colour of the text around the picture. In rustdoc, each theme names that colour. Elsewhere it is a grey that is
//! legible on white and on black.

use std::convert::Infallible;
use std::fmt::Write;

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::style::RGBColor;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
};

/// How many units there are in a pixel.
pub(crate) const PIXEL: i32 = 10;

/// The colour of text and axes, if the page does not set another.
pub(crate) const INK: RGBColor = RGBColor(0x7a, 0x7a, 0x7a);

/// The reference to the page's colour.
const PAGE_INK: &str = "var(--main-color,#7a7a7a)";

/// The size of text that does not set another.
pub(crate) const TEXT: i32 = 11 * PIXEL;

/// How far off a polyline may be, in units.
const INVISIBLE: f64 = 1.2;

pub(crate) type Area<'a> = DrawingArea<Svg<'a>, Shift>;
pub(crate) type Drawn = Result<(), DrawingAreaErrorKind<Infallible>>;

/// One picture of this size in pixels. The label describes it, for people who cannot see it.
pub(crate) fn document(label: &str, size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" {} role=\"img\" aria-label=\"{}\" \
         font-family=\"sans-serif\" font-size=\"{TEXT}\" fill=\"currentColor\" \
         style=\"max-width:100%;color:{PAGE_INK}\">\n{}</svg>\n",
        size.0,
        view_box(size),
        escaped(label),
        body(label, size, draw),
    )
}

/// A picture in a page that sets the font and the colour of the text.
pub(crate) fn part_of_a_page(label: &str, size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    format!(
        "<svg width=\"{}\" {} role=\"img\" aria-label=\"{}\" font-size=\"{TEXT}\" style=\"color:{PAGE_INK}\">\n{}</svg>",
        size.0,
        view_box(size),
        escaped(label),
        body(label, size, draw),
    )
}

fn view_box(size: (u32, u32)) -> String {
    format!("viewBox=\"0 0 {} {}\"", size.0 * PIXEL as u32, size.1 * PIXEL as u32)
}

fn body(label: &str, size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut body = String::new();
    let svg = Svg { body: &mut body, size: (size.0 * PIXEL as u32, size.1 * PIXEL as u32), path: None };
    draw(&svg.into_drawing_area()).unwrap_or_else(|e| panic!("plotters cannot draw {label}: {e}"));
    body
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(crate) struct Svg<'a> {
    body: &'a mut String,
    size: (u32, u32),
    /// The attributes of the path at the end of the body, if there is one.
    path: Option<String>,
}

type Done = Result<(), DrawingErrorKind<Infallible>>;

impl Svg<'_> {
    /// Writes an element, or the end of one.
    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.body.write_fmt(text).expect("a string takes everything");
    }

    fn polyline(&mut self, points: &[BackendCoord], attributes: String) {
        const END: &str = "\"/>\n";
        if self.path.as_ref() == Some(&attributes) {
            self.body.truncate(self.body.len() - END.len());
        } else {
            self.write(format_args!("<path fill=\"none\"{attributes} d=\""));
        }
        let ((mut x, mut y), rest) = (points[0], &points[1..]);
        self.write(format_args!("M{x} {y}"));
        let mut command = ' ';
        for &(next_x, next_y) in rest {
            let (dx, dy) = (next_x - x, next_y - y);
            (x, y) = (next_x, next_y);
            match (dx, dy) {
                (0, 0) => {}
                (_, 0) => {
                    command = 'h';
                    self.write(format_args!("h{dx}"));
                }
                (0, _) => {
                    command = 'v';
                    self.write(format_args!("v{dy}"));
                }
                _ => {
                    let before = if command == 'l' { separator(dx) } else { "l" };
                    command = 'l';
                    self.write(format_args!("{before}{dx}{}{dy}", separator(dy)));
                }
            }
        }
        self.body.push_str(END);
        self.path = Some(attributes);
    }
}

/// A minus sign also separates numbers.
fn separator(number: i32) -> &'static str {
    if number < 0 { "" } else { " " }
}

impl DrawingBackend for Svg<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }

    fn present(&mut self) -> Done {
        Ok(())
    }

    fn draw_pixel(&mut self, _: BackendCoord, _: BackendColor) -> Done {
        unimplemented!("the pictures are made of lines, circles and text")
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Done {
        self.draw_path([from, to], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Done {
        let points: Vec<_> = path.into_iter().collect();
        if style.color().alpha > 0.0 && points.len() > 1 {
            self.polyline(&simplified(&points), stroke(style));
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, (x, y): BackendCoord, radius: u32, style: &S, fill: bool) -> Done {
        let paint = if fill {
            format!(" fill=\"{}\"", colour(style.color()))
        } else {
            format!(" fill=\"none\"{}", stroke(style))
        };
        self.path = None;
        self.write(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"{paint}/>\n"));
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Done {
        let size = style.size() as i32;
        // The distance from the anchor to the baseline, for letters of usual proportions.
        let y = match style.anchor().v_pos {
            VPos::Top => y + size * 3 / 4,
            VPos::Center => y + size * 3 / 8,
            VPos::Bottom => y - size / 4,
        };
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Center => " text-anchor=\"middle\"",
            HPos::Right => " text-anchor=\"end\"",
        };
        let weight = if matches!(style.style(), FontStyle::Bold) { " font-weight=\"bold\"" } else { "" };
        let size = if size == TEXT { String::new() } else { format!(" font-size=\"{size}\"") };
        self.path = None;
        self.write(format_args!("<text x=\"{x}\" y=\"{y}\"{anchor}{size}{weight}>{}</text>\n", escaped(text)));
        Ok(())
    }
}

fn colour(colour: BackendColor) -> String {
    let (r, g, b) = colour.rgb;
    if colour.rgb == (INK.0, INK.1, INK.2) { "currentColor".into() } else { format!("#{r:02x}{g:02x}{b:02x}") }
}

fn stroke(style: &impl BackendStyle) -> String {
    let BackendColor { alpha, .. } = style.color();
    let opacity = if alpha < 1.0 { format!(" opacity=\"{alpha}\"") } else { String::new() };
    format!(" stroke=\"{}\" stroke-width=\"{}\"{opacity}", colour(style.color()), style.stroke_width())
}

/// The points, without those that lie almost on the line between others: Douglas & Peucker, 1973.
fn simplified(points: &[BackendCoord]) -> Vec<BackendCoord> {
    let mut kept = vec![false; points.len()];
    let mut spans = vec![(0, points.len() - 1)];
    while let Some((first, last)) = spans.pop() {
        (kept[first], kept[last]) = (true, true);
        let off = |i: usize| distance(points[i], points[first], points[last]);
        let farthest = (first + 1..last).max_by(|&i, &j| off(i).total_cmp(&off(j)));
        if let Some(i) = farthest.filter(|&i| off(i) > INVISIBLE) {
            spans.extend([(first, i), (i, last)]);
        }
    }
    points.iter().zip(kept).filter(|(_, kept)| *kept).map(|(point, _)| *point).collect()
}

/// The distance of a point from the line from `a` to `b`.
fn distance(point: BackendCoord, a: BackendCoord, b: BackendCoord) -> f64 {
    let from = |p: BackendCoord, q: BackendCoord| (f64::from(q.0 - p.0), f64::from(q.1 - p.1));
    let ((x, y), (dx, dy)) = (from(a, point), from(a, b));
    let along = ((x * dx + y * dy) / (dx * dx + dy * dy).max(1.0)).clamp(0.0, 1.0);
    (x - along * dx).hypot(y - along * dy)
}
