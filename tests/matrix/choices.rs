//! Functions of rows that give most elements 0: sparsemax and hardmax.

use activations::{Activation, FromOutput, Hardmax, Level, Sparsemax};

use crate::activations_cells::{Leveled, METHODS, OUTPUT_METHODS, Passes, check_from_output, names};
use crate::big::Big;
use crate::cases::{Bits, Case};
use crate::judge::{Expected, Judge};
use crate::number::{Number, big, for_each_type};
use crate::row_reference::{Simplex, sparsemax};
use crate::rows::Shape;

/// At most 2 ULP where p is above 2^-20 (`f64`: 2^-49), and an absolute error below 2^-43 (`f64`: 2^-100) elsewhere.
fn probability<T: Number>(p: Big) -> Expected {
    let (large, noise) = if T::TYPE == "f64" { (-49, -100) } else { (-20, -43) };
    if Big::ONE.scaled(large) < p { Expected::of(p, 2.0) } else { Expected::of(p, 0.0).within(Big::ONE.scaled(noise)) }
}

/// The gradient of each element of a row: g minus the mean of g over the support.
fn gradients<T: Number>(support: &[bool], g: &[Big]) -> Vec<Expected> {
    let count = Big::of(support.iter().filter(|inside| **inside).count() as f64);
    let of_support =
        |f: fn(Big) -> Big| support.iter().zip(g).filter(|(inside, _)| **inside).map(|(_, &g)| f(g)).sum::<Big>();
    let (mean, size) = (of_support(|g| g) / count, of_support(Big::abs) / count);
    let one = |(&inside, &g): (&bool, &Big)| match inside {
        true => Expected::of(g - mean, 0.5).within(T::eps() * size),
        false => Expected::of(Big::ZERO, 0.0),
    };
    support.iter().zip(g).map(one).collect()
}

fn of_sparsemax<T: Number>(judge: &mut Judge) {
    for case in Case::ALL {
        let mut bits = Bits(17);
        for shape in Shape::of(case).into_iter().filter(|shape| shape.inner == 1) {
            let x = bits.inputs::<T>(case, shape.size());
            // Elements that are near one another, so that the support has many.
            let near = case == Case::Random && shape.len != 7;
            let x: Vec<T> = if near { x.iter().map(|x| T::of(x.wide() / 64.0)).collect() } else { x };
            let grad_y = bits.numbers::<T>(x.len(), 3.0);
            let (mut values, mut slopes, mut grads) = (Vec::new(), Vec::new(), Vec::new());
            for (x, g) in x.chunks(shape.len).zip(grad_y.chunks(shape.len)) {
                let Some(Simplex { p, count }) = sparsemax(&big(x)) else {
                    for all in [&mut values, &mut slopes, &mut grads] {
                        all.extend(x.iter().map(|_| Expected::nan()));
                    }
                    continue;
                };
                let slope = Big::ratio(count as f64 - 1.0, count as f64);
                let support: Vec<bool> = p.iter().map(|&p| Big::ZERO < p).collect();
                slopes.extend(support.iter().map(|&inside| Expected::of(if inside { slope } else { Big::ZERO }, 1.0)));
                values.extend(p.into_iter().map(probability::<T>));
                grads.extend(gradients::<T>(&support, &big(g)));
            }
            let expected = Passes { x: &x, grad_y: &grad_y, values, slopes, grads };
            let f = Sparsemax::rows(shape.len).expect("a length");
            passes(judge, ("Sparsemax", "plain", case), &expected, &f);

            let y = f.forward_vec(&x);
            let rows = y.chunks(shape.len).zip(grad_y.chunks(shape.len));
            let grads: Vec<Expected> = rows
                .flat_map(|(y, g)| match y.iter().any(|y| y.is_nan()) {
                    true => y.iter().map(|_| Expected::nan()).collect(),
                    false => gradients::<T>(&y.iter().map(|y| *y > T::zero()).collect::<Vec<_>>(), &big(g)),
                })
                .collect();
            let cell = ("Sparsemax", "plain", case);
            let f: &dyn FromOutput<T> = &f;
            check_from_output(judge, cell, "best level", f, None, &y, &grad_y, &grads);
            for level in Level::available() {
                check_from_output(judge, cell, level.name(), f, Some(level), &y, &grad_y, &grads);
            }
        }
    }
}

fn of_hardmax<T: Number>(judge: &mut Judge) {
    for case in Case::ALL {
        let mut bits = Bits(18);
        for shape in Shape::of(case).into_iter().filter(|shape| shape.inner == 1) {
            let x = bits.inputs::<T>(case, shape.size());
            let grad_y = bits.numbers::<T>(x.len(), 3.0);
            let (mut values, mut slopes) = (Vec::new(), Vec::new());
            for x in x.chunks(shape.len) {
                let is_nan = x.iter().any(|x| x.is_nan());
                let first = (0..x.len()).fold(0, |first, i| if x[i] > x[first] { i } else { first });
                let exact = |x: Big| if is_nan { Expected::nan() } else { Expected::of(x, 0.0) };
                values.extend((0..x.len()).map(|i| exact(if i == first { Big::ONE } else { Big::ZERO })));
                slopes.extend(x.iter().map(|_| exact(Big::ZERO)));
            }
            let expected = Passes { x: &x, grad_y: &grad_y, values, grads: slopes.clone(), slopes };
            passes(judge, ("Hardmax", "plain", case), &expected, &Hardmax::rows(shape.len).expect("a length"));
        }
    }
}

fn passes<T: Number>(judge: &mut Judge, cell: (&str, &str, Case), expected: &Passes<'_, T>, f: &dyn Activation<T>) {
    expected.check(judge, cell, "best level", f);
    for level in Level::available() {
        expected.check(judge, cell, level.name(), &Leveled(level, f));
    }
}

pub(crate) fn covered() -> Vec<String> {
    [names(&["Sparsemax", "Hardmax"], &METHODS), names(&["Sparsemax"], &OUTPUT_METHODS)].concat()
}

#[test]
fn choices_are_within_their_bounds() {
    let mut judge = Judge::new("choices");
    for_each_type!(of_sparsemax(&mut judge));
    for_each_type!(of_hardmax(&mut judge));
    judge.finish(&covered());
}
