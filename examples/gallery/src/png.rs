//! Converts SVG to PNG, with a font in the program, so that the machine need not have one.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};

use crate::svg::standing_alone;

/// How many pixels there are for one pixel of the SVG.
const SCALE: f32 = 2.0;

pub(crate) fn png(svg: &str) -> Vec<u8> {
    let mut fonts = Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
    let tree = Tree::from_str(&standing_alone(svg), &options).expect("what `svg.rs` writes is SVG");
    let size = tree.size().to_int_size().scale_by(SCALE).expect("not empty");
    let mut pixels = Pixmap::new(size.width(), size.height()).expect("not empty");
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().expect("in memory")
}
