//! Input that the crate refuses: the message, the line of code that it names, and that nothing is written.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::support::{Float, chosen, same};
use activations::{
    Activation, AnyActivation, Elu, LeakyRelu, Level, ParameterError, ParseError, Prelu, Rrelu, Softmax,
};

/// A panic's message, and the file and line that it blames.
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) file: String,
    pub(crate) line: u32,
}

thread_local! {
    /// `Some` in a thread that expects a panic: the last panic, if there was one.
    static EXPECTED: RefCell<Option<Option<Refusal>>> = const { RefCell::new(None) };
}

/// The panic of `f`, if it panics. Panics of other threads are reported as usual.
pub(crate) fn refusal(f: impl FnOnce()) -> Option<Refusal> {
    let mut f = Some(f);
    refusal_of(&mut || {
        if let Some(f) = f.take() {
            f();
        }
    })
}

/// See [`refusal`]. Not generic, because several hundred calls would take seconds to compile.
fn refusal_of(f: &mut dyn FnMut()) -> Option<Refusal> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let default = take_hook();
        set_hook(Box::new(move |info| {
            let caught = EXPECTED.with_borrow_mut(|expected| {
                if let Some(slot) = expected {
                    let payload = info.payload();
                    let formatted = payload.downcast_ref::<String>().map(String::as_str);
                    let message = formatted.or(payload.downcast_ref().copied()).unwrap_or_default().to_owned();
                    let (file, line) = info.location().map_or((String::new(), 0), |l| (l.file().to_owned(), l.line()));
                    *slot = Some(Refusal { message, file, line });
                }
                expected.is_some()
            });
            if !caught {
                default(info);
            }
        }));
    });
    EXPECTED.set(Some(None));
    let panicked = catch_unwind(AssertUnwindSafe(f)).is_err();
    let refusal = EXPECTED.take().flatten();
    assert_eq!(panicked, refusal.is_some());
    refusal
}

/// Asserts that the call is refused at its own line, with all of `parts` in the message.
macro_rules! refused {
    ($what:expr, $call:expr, $($part:expr),+) => {
        $crate::bad_input::is_refused(&$what, (file!(), line!()), || { $call; }, &[$(&$part),+])
    };
}
pub(crate) use refused;

/// See [`refused`].
pub(crate) fn is_refused(what: &dyn Display, (file, line): (&str, u32), call: impl FnOnce(), parts: &[&dyn Display]) {
    is_that(what, file, line, refusal(call), parts);
}

fn is_that(what: &dyn Display, file: &str, line: u32, refusal: Option<Refusal>, parts: &[&dyn Display]) {
    let refusal = refusal.unwrap_or_else(|| panic!("{what}: was not refused"));
    for part in parts.iter().map(ToString::to_string) {
        assert!(refusal.message.contains(&part), "{what}: no `{part}` in the message `{}`", refusal.message);
    }
    assert!(
        refusal.file == file && refusal.line.abs_diff(line) <= 4,
        "{what}: blames {}:{}, the caller is {file}:{line}",
        refusal.file,
        refusal.line
    );
}

pub(crate) fn untouched<T: Float>(what: &str, buffer: &[T]) {
    assert!(buffer.iter().all(|&b| same(b, mark())), "{what}: written to before it was refused: {buffer:?}");
}

pub(crate) fn mark<T: Float>() -> T {
    T::of(77.0)
}

/// Lengths of two slices that differ: by one, by a vector, by a block, and from an empty one.
const DIFFERENT: [(usize, usize); 8] = [(0, 1), (1, 0), (3, 2), (2, 3), (16, 32), (256, 255), (256, 512), (700, 699)];

fn lengths_that_differ_are_refused<T: Float>(name: &str, activation: &impl Activation<T>) {
    for (n, other) in DIFFERENT {
        let x = vec![T::of(0.5); n];
        let both = [format!("{n} elements"), format!("has {other}")];
        let marked = |len: usize| vec![mark::<T>(); len];
        let what = |method: &str| format!("{name} {}, {method} of {n} into {other}", T::TYPE);

        let mut y = marked(other);
        refused!(what("forward"), activation.forward(&x, &mut y), both[0], both[1], "`x`", "`y`");
        untouched(&what("forward"), &y);
        refused!(what("derivative"), activation.derivative(&x, &mut y), both[0], both[1], "`x`", "`dydx`");
        untouched(&what("derivative"), &y);

        let mut right = marked(n);
        let both_at_once = what("forward_with_derivative");
        refused!(both_at_once, activation.forward_with_derivative(&x, &mut y, &mut right), both[0], both[1], "`y`");
        refused!(both_at_once, activation.forward_with_derivative(&x, &mut right, &mut y), both[0], both[1], "`dydx`");
        untouched(&both_at_once, &y);
        untouched(&both_at_once, &right);

        let g = vec![T::of(0.5); other];
        let backward = what("backward");
        refused!(backward, activation.backward(&x, &g, &mut right), both[0], both[1], "`grad_y`");
        refused!(backward, activation.backward(&x, &x, &mut y), both[0], both[1], "`grad_x`");
        refused!(backward, activation.backward(&x, &g, &mut y), both[0], both[1], "`grad_");
        untouched(&backward, &y);
        untouched(&backward, &right);
        refused!(what("backward_vec"), activation.backward_vec(&x, &g), both[0], both[1], "`grad_y`");
    }
}

#[test]
fn lengths_that_differ_panic_naming_both_and_nothing_is_written() {
    for activation in chosen() {
        let name = activation.to_string();
        lengths_that_differ_are_refused::<f32>(&name, &activation);
        lengths_that_differ_are_refused::<f64>(&name, &activation);
        for level in Level::available() {
            lengths_that_differ_are_refused::<f32>(&format!("{name} at {level}"), &level.with(activation));
        }
    }
    lengths_that_differ_are_refused::<f32>("LeakyRelu", &LeakyRelu::default());
    lengths_that_differ_are_refused::<f64>("rows of 1", &Softmax::rows(1).unwrap());
}

#[test]
fn lengths_that_differ_panic_through_a_trait_object_too() {
    for activation in chosen() {
        let boxed: Box<dyn Activation<f32>> = activation.into();
        let mut y = [mark::<f32>(); 2];
        let refusal = refusal(|| boxed.forward(&[0.5; 3], &mut y)).expect("3 elements into 2");
        assert!(refusal.message.contains("3 elements") && refusal.message.contains("has 2"), "{}", refusal.message);
        untouched(&activation.to_string(), &y);
    }
}

#[test]
fn a_length_that_is_no_multiple_of_the_row_panics_naming_both_and_nothing_is_written() {
    fn check<T: Float>() {
        for (n, rows) in [(1, 2), (3, 2), (5, 10), (10, 4), (300, 256), (256, 300), (7, usize::MAX)] {
            let softmax = Softmax::rows(rows).unwrap();
            let x = vec![T::of(0.5); n];
            let (mut y, mut other) = (vec![mark::<T>(); n], vec![mark::<T>(); n]);
            let (given, allowed) = (format!("{n} elements"), format!("rows of {rows}"));
            refused!("forward", softmax.forward(&x, &mut y), given, allowed);
            refused!("forward_in_place", softmax.forward_in_place(&mut y), given, allowed);
            refused!("derivative", softmax.derivative(&x, &mut y), given, allowed);
            refused!("both", softmax.forward_with_derivative(&x, &mut y, &mut other), given, allowed);
            refused!("backward", softmax.backward(&x, &x, &mut y), given, allowed);
            refused!("forward_vec", softmax.forward_vec(&x), given, allowed);
            refused!("derivative_vec", softmax.derivative_vec(&x), given, allowed);
            refused!("backward_vec", softmax.backward_vec(&x, &x), given, allowed);
            refused!("AnyActivation", AnyActivation::from(softmax).forward(&x, &mut y), given, allowed);
            refused!("At", Level::best().with(softmax).forward(&x, &mut y), given, allowed);
            untouched("softmax", &y);
            untouched("softmax", &other);
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn whole_rows_are_taken() {
    for (n, rows) in [(0, 5), (5, 5), (10, 5), (600, 300)] {
        let x = vec![0.5_f32; n];
        assert!(refusal(|| drop(Softmax::rows(rows).unwrap().forward_vec(&x))).is_none(), "{n} in rows of {rows}");
    }
}

#[test]
fn rows_of_nothing_are_an_error_that_says_what_is_allowed() {
    let error = Softmax::rows(0).unwrap_err();
    let text = error.to_string();
    for part in ["softmax", "`rows`", "0", "at least 1"] {
        assert!(text.contains(part), "no `{part}` in `{text}`");
    }
    assert!(Softmax::rows(1).is_ok());
    assert!(Softmax::rows(usize::MAX).is_ok());
}

#[test]
fn a_slope_that_is_not_finite_is_an_error_that_says_what_is_allowed() {
    for (slope, given) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let text = LeakyRelu::new(slope).unwrap_err().to_string();
        for part in ["leaky_relu", "`negative_slope`", given, "finite"] {
            assert!(text.contains(part), "{slope}: no `{part}` in `{text}`");
        }
    }
}

#[test]
fn any_finite_slope_is_accepted() {
    for slope in [0.01, 0.0, -0.0, -1.5, 1.0, 30.0, f64::MIN_POSITIVE, f64::MAX, f64::MIN] {
        assert_eq!(LeakyRelu::new(slope).unwrap().negative_slope().to_bits(), slope.to_bits());
    }
    assert_eq!(LeakyRelu::default().negative_slope(), 0.01);
}

#[test]
fn the_alpha_of_elu_is_a_finite_number() {
    for alpha in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let text = Elu::new(alpha).unwrap_err().to_string();
        for part in ["elu", "alpha", &alpha.to_string(), "finite"] {
            assert!(text.contains(part), "`{text}` lacks `{part}`");
        }
    }
    for alpha in [0.0, -1.0, 0.5, f64::MIN_POSITIVE] {
        assert_eq!(Elu::new(alpha).unwrap().alpha(), alpha);
    }
    assert_eq!(Elu::default().alpha(), 1.0);
}

#[test]
fn errors_are_errors() {
    fn is_error<E: Error + Send + Sync + Copy + 'static>(error: E) {
        let boxed: Box<dyn Error + Send + Sync> = error.into();
        assert!(boxed.downcast_ref::<E>().is_some());
        assert_eq!(boxed.to_string(), error.to_string());
        assert!(boxed.source().is_none());
        assert!(!format!("{error:?}").is_empty());
        let text = error.to_string();
        assert!(!text.is_empty() && !text.contains('\n') && !text.contains("  "), "`{text}`");
    }
    let parameter: ParameterError = Softmax::rows(0).unwrap_err();
    is_error(parameter);
    let texts =
        ["nonsense", "elu(", "elu(beta=1)", "elu(1, 2)", "elu(1, alpha=2)", "elu(one)", "elu(inf)", "relu(slope=1)"];
    for text in texts {
        let error: ParseError = text.parse::<AnyActivation>().unwrap_err();
        if let ParseError::UnknownName(name) = error {
            is_error(name);
        }
        is_error(error);
    }
}

#[test]
fn both_errors_pass_through_the_question_mark() {
    fn build(name: &str, slope: f64) -> Result<(AnyActivation, LeakyRelu), Box<dyn Error>> {
        Ok((name.parse()?, LeakyRelu::new(slope)?))
    }
    assert!(build("gelu", 0.1).is_ok());
    assert!(build("nonsense", 0.1).unwrap_err().to_string().contains("nonsense"));
    assert!(build("gelu", f64::NAN).unwrap_err().to_string().contains("NaN"));
}

#[test]
fn slopes_and_gradients_of_another_length_panic_naming_both_and_nothing_is_written() {
    fn check<T: Float>() {
        for (n, other) in DIFFERENT {
            let (x, wrong) = (vec![T::of(0.5); n], vec![T::of(0.5); other]);
            let (mut y, mut short) = (vec![mark::<T>(); n], vec![mark::<T>(); other]);
            let both = [format!("{n} elements"), format!("has {other}")];
            let rrelu = Rrelu::default();
            refused!("rrelu", rrelu.forward_training(&x, &wrong, &mut y), both[0], both[1], "`slopes`");
            refused!("rrelu", rrelu.forward_training(&x, &x, &mut short), both[0], both[1], "`y`");
            refused!("rrelu", rrelu.backward_training(&x, &wrong, &x, &mut y), both[0], both[1], "`slopes`");
            refused!("rrelu", rrelu.backward_training(&x, &x, &wrong, &mut y), both[0], both[1], "`grad_y`");
            refused!("rrelu", rrelu.backward_training(&x, &x, &x, &mut short), both[0], both[1], "`grad_x`");

            let slopes = [T::of(0.25)];
            let (prelu, mut grad_slopes) = (Prelu::new(&slopes), [mark::<T>(); 2]);
            let one = &mut grad_slopes[..1];
            refused!("prelu", prelu.backward_with_slopes(&x, &wrong, &mut y, one), both[0], both[1], "`grad_y`");
            refused!("prelu", prelu.backward_with_slopes(&x, &x, &mut short, one), both[0], both[1], "`grad_x`");
            let (one, two) = ("1 elements", "has 2");
            refused!("prelu", prelu.backward_with_slopes(&x, &x, &mut y, &mut grad_slopes), one, two, "`grad_slopes`");
            let at = Level::best().with(prelu);
            refused!("prelu", at.backward_with_slopes(&x, &x, &mut y, &mut grad_slopes), one, two, "`grad_slopes`");

            let halves = [T::of(0.5); 2];
            let (odd, mut odd_y) = (vec![T::of(0.5); 2 * n + 1], vec![mark::<T>(); 2 * n + 1]);
            let (given, allowed) = (format!("{} elements", 2 * n + 1), "rows of 2");
            refused!("prelu", Prelu::new(&halves).forward(&odd, &mut odd_y), given, allowed);
            refused!(
                "prelu",
                Prelu::new(&halves).backward_with_slopes(&odd, &odd, &mut odd_y, &mut grad_slopes),
                given,
                allowed
            );
            for buffer in [&y, &short, &odd_y, &grad_slopes.to_vec()] {
                untouched("rrelu and prelu", buffer);
            }
        }
    }
    check::<f32>();
    check::<f64>();
}
