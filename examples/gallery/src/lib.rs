//! Pictures of every function of `activations`, and of its errors.

use std::path::Path;

#[path = "../../../tests/common/mod.rs"]
mod common;

mod accuracy;
mod chart;
mod curve;
mod functions;
mod gates;
mod svg;

/// A file that will be written.
pub struct Picture {
    /// The path in the folder of pictures, with slashes.
    pub path: String,
    pub bytes: Vec<u8>,
}

impl Picture {
    fn svg(name: &str, text: String) -> Self {
        Self { path: format!("{name}.svg"), bytes: text.into_bytes() }
    }
}

/// Where the committed pictures are.
pub fn committed() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/pictures"))
}

/// Each function with its derivative, each gate and each loss with its gradient, and a sheet of the functions: as SVG, and as a
/// part of a page whose curves are links.
pub fn functions() -> Vec<Picture> {
    let overview = functions::overview();
    let each = functions::each().chain(gates::each()).chain(functions::losses());
    let mut pictures: Vec<_> = each.map(|(name, text)| Picture::svg(&name, text)).collect();
    pictures.push(Picture::svg("overview", overview));
    pictures.push(Picture { path: "overview.html".into(), bytes: functions::links().into_bytes() });
    pictures
}

/// The errors of the functions whose plain formula has large errors, and a sheet of some of them.
pub fn accuracy() -> Vec<Picture> {
    let mut pictures: Vec<_> =
        accuracy::each().map(|(name, text)| Picture::svg(&format!("accuracy/{name}"), text)).collect();
    pictures.push(Picture::svg("accuracy/overview", accuracy::overview()));
    pictures
}
