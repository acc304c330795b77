//! Second derivatives and the backward of the backward.

#[path = "../common/mod.rs"]
mod common;

use activations::{AnyActivation, Level};
use common::second::{self, BOUNDS};
use common::sweep::{self, Report};

fn named(name: &str) -> AnyActivation {
    name.parse().expect("a name of the list")
}

#[test]
fn second_derivatives_are_within_their_bounds() {
    let levels: Vec<Level> = Level::available().collect();
    let mut wrong = Vec::new();
    for bound in &BOUNDS {
        let activation = named(bound.name);
        let mut reports = vec![Report::default(); levels.len()];
        second::over_f32(&activation, bound, &levels, &mut reports, sweep::patterns(0..1 << 32, 10_007));
        for (&level, report) in levels.iter().zip(&reports) {
            if let Err(error) = report.within(bound.f32(level)) {
                wrong.push(format!("{}'' f32 at {level}: {error}", bound.name));
            }
            println!("{} {level} {:.3} at {:e}", bound.name, report.worst, report.at);
            let of_table = second::over_table(&activation, bound, level);
            println!("{} f64 {level} {:.3} at {:e}", bound.name, of_table.worst, of_table.at);
            if let Err(error) = of_table.within(bound.f64(level)) {
                wrong.push(format!("{}'' f64 at {level}: {error}", bound.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
