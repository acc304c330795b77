//! Compares every claim of every card with the function, and checks that the function has a picture.

use std::fs;
use std::path::Path;

use crate::support::{Float, chosen, is_elementwise, slope, value};
use activations::{AnyActivation, Level, Vanishes};

/// An elementwise function as it is. A function of rows as a function of one number: the first element of the row [x, 0].
fn section(activation: AnyActivation, level: Level) -> impl Fn(f64) -> f64 {
    let at = level.with(activation);
    let alone = is_elementwise(&activation);
    move |x| {
        if alone {
            return value(&at, x);
        }
        let mut y = [f64::NAN; 2];
        activations::Activation::forward(&at, &[x, 0.0], &mut y);
        y[0]
    }
}

fn section_slope(activation: AnyActivation, level: Level) -> impl Fn(f64) -> f64 {
    let at = level.with(activation);
    let alone = is_elementwise(&activation);
    move |x| {
        if alone {
            return slope(&at, x);
        }
        let mut dydx = [f64::NAN; 2];
        activations::Activation::derivative(&at, &[x, 0.0], &mut dydx);
        dydx[0]
    }
}

/// Rising numbers: dense near 0, and less dense up to the largest numbers.
fn grid() -> Vec<f64> {
    let mut x: Vec<f64> = (-16 * 512..=16 * 512).map(|i| f64::from(i) / 512.0).collect();
    let far = (0..4_000).map(|i| 16.0 * 2.0_f64.powf(f64::from(i) / 4.0)).take_while(|x| x.is_finite());
    x.extend(far.flat_map(|x| [x, -x]));
    x.extend((1..1_074).flat_map(|i| [2.0_f64.powi(-i), -(2.0_f64.powi(-i))]));
    x.extend([f64::MAX, f64::MIN]);
    x.sort_by(f64::total_cmp);
    x
}

/// Each activation at each level, with the bound of its value in spacings.
fn each(mut check: impl FnMut(AnyActivation, Level, f64)) {
    for activation in chosen() {
        for level in Level::available() {
            check(activation, level, f64::bounds(&activation.card().error, level.is_fused()).0);
        }
    }
}

/// The x between a and b where f is least, by golden sections.
fn argmin(f: impl Fn(f64) -> f64, mut a: f64, mut b: f64) -> f64 {
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    for _ in 0..80 {
        let (c, d) = (b - golden * (b - a), a + golden * (b - a));
        if f(c) <= f(d) {
            b = d;
        } else {
            a = c;
        }
    }
    (a + b) / 2.0
}

#[test]
fn range_is_reached_and_never_left() {
    each(|activation, level, bound| {
        let f = section(activation, level);
        let (low, high) = activation.card().range;
        assert!(low < high, "{activation}: the range is {low}..{high}");
        let x = grid();
        // The upper end of f is the lower end of -f.
        let ends = [(1.0, low), (-1.0, -high)];
        for (sign, end) in ends {
            let g = |x: f64| sign * f(x);
            let i = (0..x.len()).min_by(|&i, &j| g(x[i]).total_cmp(&g(x[j]))).unwrap();
            let mut least = g(x[i]);
            if i > 0 && i + 1 < x.len() && x[i].abs() < 16.0 {
                least = least.min(g(argmin(g, x[i - 1], x[i + 1])));
            }
            let what = format!("{activation} at {level}: the range ends at {}", sign * end);
            if end.is_infinite() {
                // The value grows in proportion to x, if slowly.
                assert!(least < -1e300, "{what}, the farthest value is {}", sign * least);
            } else {
                let slack = (bound + 0.5) * end.spacing().max(f64::EPSILON / 4.0);
                assert!(
                    (least - end).abs() <= slack,
                    "{what}, the farthest value is {:e}, at {:e}",
                    sign * least,
                    x[i]
                );
            }
        }
        for &x in &x {
            let y = f(x);
            let slack = |end: f64| if end == end.round() { 0.0 } else { (bound + 0.5) * end.spacing() };
            assert!(
                low - slack(low) <= y && y <= high + slack(high),
                "{activation} at {level}: f({x:e}) = {y:e} is outside {low}..{high}"
            );
        }
    });
}

#[test]
fn the_derivative_vanishes_on_the_sides_claimed_and_on_no_other() {
    each(|activation, level, _| {
        let df = section_slope(activation, level);
        let (left, right) = match activation.card().vanishes {
            Vanishes::Never => (false, false),
            Vanishes::Left => (true, false),
            Vanishes::Right => (false, true),
            Vanishes::BothSides => (true, true),
        };
        for (sign, claimed) in [(-1.0, left), (1.0, right)] {
            let far: Vec<f64> = (1..=8).map(|k| df(sign * 10.0_f64.powi(k)).abs()).collect();
            let what = format!(
                "{activation} at {level}: |f'| at {} 10, 100, .. is {far:?}",
                if sign < 0.0 { "-" } else { "" }
            );
            if claimed {
                assert!(far.windows(2).all(|pair| pair[1] <= pair[0]), "{what}: does not fall");
                assert!(far[7] < 1e-12, "{what}: does not vanish");
            } else {
                assert!(far.iter().all(|&d| d >= 1e-3), "{what}: vanishes, though the card does not say so");
            }
        }
    });
}

#[test]
fn zero_centred_is_odd_and_nothing_else_is() {
    each(|activation, level, _| {
        let f = section(activation, level);
        let differs = |x: f64| f(-x).to_bits() != (-f(x)).to_bits();
        if activation.card().zero_centred {
            let counterexample = grid().into_iter().find(|&x| differs(x));
            assert!(counterexample.is_none(), "{activation} at {level}: not odd at {counterexample:?}");
        } else {
            let even_part =
                grid().into_iter().filter(|x| x.abs() < 16.0).map(|x| (f(x) + f(-x)).abs()).fold(0.0, f64::max);
            assert!(
                even_part > 0.1,
                "{activation} at {level}: odd within {even_part:e}, though the card does not say so"
            );
        }
    });
}

#[test]
fn monotone_functions_never_fall_and_the_others_do() {
    each(|activation, level, bound| {
        let f = section(activation, level);
        let (mut highest, mut deepest_fall, mut at) = (f64::NEG_INFINITY, 0.0_f64, 0.0);
        for x in grid() {
            let y = f(x);
            if activation.card().monotone {
                assert!(
                    y >= highest || highest - y <= 2.0 * bound * highest.spacing(),
                    "{activation} at {level}: f({x:e}) = {y:e}, but further left it was {highest:e}"
                );
            }
            highest = highest.max(y);
            if highest - y > deepest_fall {
                (deepest_fall, at) = (highest - y, x);
            }
        }
        if !activation.card().monotone {
            assert!(deepest_fall > 1e-3, "{activation} at {level}: falls by {deepest_fall:e} at most, at {at}");
        }
    });
}

#[test]
fn gelu_and_silu_fall_between_minus_two_and_their_minimum() {
    for name in ["gelu", "gelu_tanh", "silu"] {
        let activation: AnyActivation = name.parse().unwrap();
        assert!(!activation.card().monotone, "{name}");
        assert!(
            value(&activation, -2.0_f64) > value(&activation, -1.0_f64) && value(&activation, -1.0_f64) < 0.0,
            "{name}"
        );
    }
}

#[test]
fn the_slope_jumps_at_the_kinks_and_nowhere_else() {
    // For a smooth function, slopes of neighbouring cells differ by h f'' < 0.003, or, if it grows as e^x, by 0.003 of themselves. At a
    // kink they jump.
    const JUMP: f64 = 0.02;
    let h = 1.0 / 512.0;
    each(|activation, level, _| {
        let f = section(activation, level);
        let kinks = activation.card().kinks;
        let mut found = vec![false; kinks.len()];
        let mut before = None;
        for i in -12 * 512..=12 * 512 {
            let x = f64::from(i) * h;
            let cell = (f(x + h) - f(x)) / h;
            if let Some(before) = before.replace(cell)
                && (cell - before).abs() > JUMP * cell.abs().max(1.0)
            {
                let near = kinks.iter().position(|kink| (x - kink).abs() <= 1.5 * h);
                let Some(kink) = near else {
                    panic!("{activation} at {level}: the slope jumps from {before} to {cell} at {x}, no kink there");
                };
                found[kink] = true;
            }
        }
        assert!(found.iter().all(|&f| f), "{activation} at {level}: kinks {kinks:?}, where the slope jumps: {found:?}");
    });
}

#[test]
fn functions_are_continuous_unless_they_jump_at_their_kinks() {
    let h = 1.0 / 512.0;
    each(|activation, level, _| {
        let f = section(activation, level);
        let jumps = ["threshold", "hardshrink", "shrink"].contains(&activation.card().name);
        let x = (-12 * 512..=12 * 512).map(|i| f64::from(i) * h);
        let found: Vec<f64> = x.filter(|x| (f(x + h) - f(*x)).abs() > 0.1 * f(*x).abs().max(1.0)).collect();
        let kinks = activation.card().kinks;
        let at_kinks = found.len() == kinks.len() && found.iter().zip(kinks).all(|(x, kink)| (x - kink).abs() <= h);
        assert!(found.is_empty() && !jumps || at_kinks, "{activation} at {level}: jumps at {found:?}");
    });
}

fn type_name(activation: &AnyActivation) -> String {
    let debug = format!("{activation:?}");
    debug.split_once('(').unwrap().0.into()
}

#[test]
fn the_name_is_the_types_name_in_snake_case() {
    for activation in chosen() {
        let mut snake = String::new();
        for c in type_name(&activation).chars() {
            if c.is_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        }
        assert_eq!(activation.card().name, snake);
    }
}

#[test]
fn no_text_is_missing() {
    for activation in chosen() {
        let card = activation.card();
        for text in [card.formula, card.derivative, card.common_use, card.source] {
            assert!(text.len() > 3 && text.trim() == text && !text.contains('\n'), "{activation}: `{text}`");
        }
        let year =
            card.source.split(|c: char| !c.is_ascii_digit()).any(|n| n.len() == 4 && ("1800".."2100").contains(&n));
        assert!(year, "{activation}: no year in the source `{}`", card.source);
    }
}

#[test]
fn stated_errors_are_under_the_ceilings() {
    for activation in chosen() {
        let error = activation.card().error;
        let of_values = [3.0, 5.0, 4.0, 4.0];
        let of_derivatives = [4.0, 5.0, 4.0, 4.0];
        let stated = [error.f32, error.f32_plain, error.f64, error.f64_plain];
        for (stated, ceiling) in stated.into_iter().zip(of_values.into_iter().zip(of_derivatives)) {
            assert!(stated.0 >= 0.5 && stated.1 >= 0.5, "{activation}: less than one rounding: {stated:?}");
            assert!(
                stated.0 <= ceiling.0 && stated.1 <= ceiling.1,
                "{activation}: {stated:?} ULP, ceiling {ceiling:?}"
            );
        }
    }
}

/// All sources in a folder and its subfolders, one after another.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        text += &if path.is_dir() { sources(&path) } else { fs::read_to_string(&path).unwrap() };
    }
    text
}

#[test]
fn every_function_has_a_picture_and_its_documentation_shows_it() {
    const DRAW: &str = "`cargo run --release --manifest-path examples/gallery/Cargo.toml` draws it";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = sources(&root.join("src"));
    for activation in chosen() {
        let file = format!("docs/pictures/{}.svg", activation.card().name);
        let picture = fs::read_to_string(root.join(&file)).unwrap_or_else(|e| panic!("{file}: {e}; {DRAW}"));
        // Markdown would end the picture at an empty line. The package contains all pictures.
        let first = picture.lines().next().unwrap();
        assert!(
            first.starts_with("<svg ") && first.ends_with('>') && !picture.contains("\n\n"),
            "{file}: not one block"
        );
        assert!(picture.len() < 5_000, "{file}: {} bytes", picture.len());

        let declaration = sources.split(&format!("\npub struct {}", type_name(&activation))).collect::<Vec<_>>();
        let shown = declaration.windows(2).any(|around| {
            let declared = around[1].starts_with([';', ' ', '<']);
            let docs = around[0].rsplit("\n\n").next().unwrap();
            declared && docs.contains(&format!("{file}\"))]")) && docs.contains("methods.md\"))]")
        });
        assert!(
            shown,
            "the documentation of {activation:?} does not include {file} and methods.md, as that of `Relu` does"
        );
    }
}
