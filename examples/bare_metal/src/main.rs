//! Prints activations of four numbers, and fails if a bit is not the one expected.
#![cfg_attr(target_os = "none", no_std, no_main)]

use activations::Level;

#[cfg(target_os = "none")]
use semihosting::{println, process};
#[cfg(not(target_os = "none"))]
use std::process;

#[cfg_attr(target_os = "none", cortex_m_rt::entry)]
fn main() -> ! {
    // The CPU is not detected here, so the level follows from the target's features.
    let level = Level::compiled();
    println!("level: {level}");
    println!("x: {:?}", bare_metal::X);
    let mut status = 0;
    for row in bare_metal::rows(level) {
        println!("{}: {:?}", row.name, row.y);
        if !row.is_right() {
            println!("{}: bits {:08x?}, expected {:08x?}", row.name, row.y.map(f32::to_bits), row.expected);
            status = 1;
        }
    }
    process::exit(status)
}
