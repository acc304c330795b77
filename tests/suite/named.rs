//! Activations by name: names of all frameworks, and text that is not a name.

use crate::common::entries::list::for_each_activation;
use crate::support::{Bits, Float, Outputs, assert_same};
use activations::*;

/// The part of a name that matters.
fn letters(name: &str) -> String {
    name.chars().filter(|c| !"-_ ".contains(*c)).flat_map(char::to_lowercase).collect()
}

fn names(card: &Card) -> impl Iterator<Item = &'static str> {
    [card.name].into_iter().chain(card.aliases.iter().copied())
}

#[track_caller]
fn parsed(name: &str) -> AnyActivation {
    name.parse().unwrap_or_else(|error| panic!("`{name}`: {error}"))
}

#[test]
fn every_name_and_alias_parses_to_its_card() {
    for activation in AnyActivation::all() {
        for name in names(&activation.card()) {
            assert_eq!(parsed(name), activation, "`{name}`");
            assert_eq!(parsed(name).card(), activation.card(), "`{name}`");
        }
    }
}

#[test]
fn case_and_separators_make_no_difference() {
    for activation in AnyActivation::all() {
        for name in names(&activation.card()) {
            let spaced: String = name.chars().flat_map(|c| [c, ' ']).collect();
            let variants = [
                name.to_uppercase(),
                name.replace('_', "-"),
                name.replace('_', " "),
                name.replace('_', ""),
                name.to_uppercase().replace('_', "-"),
                format!("_{name}-"),
                format!(" {name} "),
                spaced,
            ];
            for variant in variants {
                assert_eq!(parsed(&variant), activation, "`{variant}`");
            }
        }
    }
}

#[test]
fn no_two_names_are_the_same() {
    let mut all: Vec<(String, &str)> =
        AnyActivation::all().flat_map(|a| names(&a.card()).map(|n| (letters(n), n)).collect::<Vec<_>>()).collect();
    all.sort();
    for pair in all.windows(2) {
        assert_ne!(pair[0].0, pair[1].0, "`{}` and `{}` are one name, listed twice", pair[0].1, pair[1].1);
    }
}

#[test]
fn names_are_snake_case() {
    for activation in AnyActivation::all() {
        for name in names(&activation.card()) {
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            assert!(plain && !name.is_empty(), "`{name}`");
        }
    }
}

#[test]
fn display_gives_the_canonical_name_and_parses_back() {
    for activation in AnyActivation::all() {
        let name = activation.card().name;
        assert_eq!(activation.to_string(), name);
        assert_eq!(parsed(&activation.to_string()), activation);
        assert_eq!(format!("{activation:<12}|"), format!("{name:<12}|"));
        assert_eq!(format!("{activation:>12}|"), format!("{name:>12}|"));
        assert_eq!(format!("{activation:*^12}|"), format!("{name:*^12}|"));
    }
}

#[test]
fn the_clipped_gelu_and_the_sigmoid_approximation_are_not_gelu() {
    for name in ["gelu_10", "quick_gelu", "gelu_quick", "QuickGELU"] {
        if let Ok(activation) = name.parse::<AnyActivation>() {
            assert!(!["gelu", "gelu_tanh"].contains(&activation.card().name), "`{name}` parses as {activation}");
        }
    }
}

#[test]
fn an_unknown_name_is_an_error_that_says_the_nearest_and_where_the_names_are() {
    for name in ["nonsense", "gleu", "quack_gelu", "", "gelu gelu", "relu!", "geluu2"] {
        let error = name.parse::<AnyActivation>().unwrap_err();
        let text = error.to_string();
        let where_they_are =
            "`AnyActivation::all()` lists the functions; the guide's page `coming_from` lists their names";
        let expected = match error.nearest() {
            Some(nearest) => {
                parsed(nearest);
                format!("unknown activation `{name}`; did you mean `{nearest}`? {where_they_are}")
            }
            None => format!("unknown activation `{name}`. {where_they_are}"),
        };
        assert_eq!(text, expected);
        assert!(text.len() < 200, "{text}");
    }
}

#[test]
fn a_name_of_something_else_says_what_to_use() {
    for (name, instead) in [
        ("prelu", "Prelu"),
        ("torch.nn.PReLU(num_parameters=1)", "Prelu"),
        ("glu", "Glu"),
        ("GLU(dim=-1)", "Glu"),
        ("swiglu", "SwiGlu"),
        ("SwiGLU", "SwiGlu"),
        ("swigluoai", "ClampedSwiGlu"),
        ("geglu", "GeGlu"),
        ("geglu_tanh", "GeGluTanh"),
        ("ReGLU", "ReGlu"),
        ("BiasGelu", "Biased"),
        ("jax.nn.logsumexp", "log_sum_exp"),
        ("CrossEntropyLoss()", "CrossEntropy"),
        ("BCEWithLogitsLoss()", "BinaryCrossEntropy"),
        ("SqrtSoftplusActivation()", "Elementwise"),
        ("MultiheadAttention(\n  (out_proj): Linear(in_features=4)\n)", "Softmax"),
    ] {
        let error = name.parse::<AnyActivation>().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("`{instead}`")), "`{name}`: {text}");
        assert!(!text.contains("did you mean") && error.nearest().is_none(), "`{name}`: {text}");
    }
}

#[test]
fn a_typing_error_gets_the_nearest_name() {
    let slips = [
        ("gleu", "gelu"),
        ("geul", "gelu"),
        ("GELUU", "gelu"),
        ("rleu", "relu"),
        ("Rel", "relu"),
        ("tahn", "tanh"),
        ("sigmod", "sigmoid"),
        ("sigmiod", "sigmoid"),
        ("softmx", "softmax"),
        ("soft-maxx", "softmax"),
        ("leaky_rleu", "leaky_relu"),
        ("LeekyRelu", "leaky_relu"),
        ("gelu_tahn", "gelu_tanh"),
        ("sillu", "silu"),
    ];
    for (slip, meant) in slips {
        let nearest = slip.parse::<AnyActivation>().unwrap_err().nearest();
        assert_eq!(nearest, Some(meant), "`{slip}`");
    }
}

#[test]
fn a_name_far_from_all_gets_no_suggestion() {
    for name in
        ["", "xyzzy", "transformer", "q", "convolution", "the quick brown fox", "42", "leaky_integrate_and_fire"]
    {
        assert_eq!(name.parse::<AnyActivation>().unwrap_err().nearest(), None, "`{name}`");
    }
}

#[test]
fn odd_names_are_errors_and_do_not_panic() {
    let long = ["gelu".repeat(5_000), "x".repeat(100_000), "é".repeat(1_000), format!("x{}", "é".repeat(1_000))];
    let emoji = format!("{}🦀🦀🦀", "a".repeat(46));
    let names =
        ["GELÜ", "ｇｅｌｕ", "ſilu", "тanh", "🦀", "\0", "gelu\n", "\u{feff}gelu", "ge\u{301}lu", "---", "_", &emoji];
    for name in names.into_iter().chain(long.iter().map(String::as_str)) {
        let error = name.parse::<AnyActivation>().unwrap_err();
        let text = error.to_string();
        assert!(text.len() < 1_000, "a message of {} bytes", text.len());
        let start: String = name.chars().take(10).collect();
        assert!(text.contains(&start), "{text}");
    }
}

#[test]
fn a_name_runs_the_function_for_both_types() -> Result<(), ParseError> {
    for activation in AnyActivation::all() {
        for name in names(&activation.card()) {
            let (x, mut y) = ([-1.0_f32, 0.0, 2.0], [9.0; 3]);
            name.parse::<AnyActivation>()?.forward(&x, &mut y);
            let (wide, mut wide_y) = ([-1.0_f64, 0.0, 2.0], [9.0; 3]);
            name.parse::<AnyActivation>()?.forward(&wide, &mut wide_y);
            for (y, wide_y) in y.into_iter().zip(wide_y) {
                assert!((f64::from(y) - wide_y).abs() <= 1e-6, "`{name}`: {y} in f32, {wide_y} in f64");
            }
        }
    }
    Ok(())
}

/// Runs the function by its type, by its name, and boxed, on the same slices.
fn by_type_by_name_and_boxed_agree<T: Float, A: Activation<T> + Described + Copy + Into<AnyActivation>>(typed: A) {
    let mut bits = Bits(21);
    for len in [0, 1, 5, 300] {
        let (x, g) = (bits.floats::<T>(len), bits.floats::<T>(len));
        by_name_and_boxed_agree(&A::CARD, typed.into(), &x, &g, &Outputs::of(&typed, &x, &g));
    }
    assert_eq!(typed.into(), parsed(A::CARD.name));
    assert_eq!(typed.into().card(), A::CARD);
}

fn by_name_and_boxed_agree<T: Float>(card: &Card, any: AnyActivation, x: &[T], g: &[T], expected: &Outputs<T>) {
    let name = card.name;
    let boxed: Box<dyn Activation<T>> = parsed(name).into();
    let mut y = vec![T::nan(); x.len()];
    boxed.forward(x, &mut y);
    assert_same(&format!("{name} boxed, forward"), x, &expected.forward, &y);
    boxed.derivative(x, &mut y);
    assert_same(&format!("{name} boxed, derivative"), x, &expected.derivative, &y);
    boxed.backward(x, g, &mut y);
    assert_same(&format!("{name} boxed, backward"), x, &expected.backward, &y);
    for (how, activation) in [("by name", parsed(name)), ("from its type", any)] {
        for ((method, expected), (_, got)) in expected.named().into_iter().zip(Outputs::of(&activation, x, g).named()) {
            assert_same(&format!("{name} {how}, {method}"), x, expected, got);
        }
    }
}

#[test]
fn by_name_gives_the_bits_of_the_typed_call() {
    macro_rules! check {
        ($($folder:ident::$file:ident: $($activation:ident),+;)+) => {{
            $($(
                by_type_by_name_and_boxed_agree::<f32, _>($activation::default());
                by_type_by_name_and_boxed_agree::<f64, _>($activation::default());
            )+)+
            [$($(stringify!($activation)),+),+].len()
        }};
    }
    let checked = for_each_activation!(check);
    assert_eq!(checked, AnyActivation::all().count(), "a new type is missing in this test");
}

#[test]
fn parameters_survive_the_way_into_any_activation() {
    let x = [-2.0_f32, -1.0, 3.0, 4.0];
    let mut y = [0.0; 4];
    AnyActivation::from(LeakyRelu::new(0.25).unwrap()).forward(&x, &mut y);
    assert_eq!(y, [-0.5, -0.25, 3.0, 4.0]);
    let rows = AnyActivation::from(Softmax::rows(1).unwrap());
    rows.forward(&x, &mut y);
    assert_eq!(y, [1.0; 4]);
    assert_eq!(Activation::<f32>::pieces(&rows), activations::Pieces::Rows(1));
    assert_eq!(Activation::<f32>::pieces(&parsed("softmax")), activations::Pieces::Whole);
}

#[test]
fn a_stack_of_boxed_layers_runs() {
    let layers: Vec<Box<dyn Activation<f64>>> = ["relu", "tanh", "softmax"].map(|name| parsed(name).into()).into();
    let mut x = [-1.0, 0.5, 2.0];
    for layer in &layers {
        layer.forward_in_place(&mut x);
    }
    assert!((x.iter().sum::<f64>() - 1.0).abs() < 1e-15);
    assert!(x[0] < x[1] && x[1] < x[2]);
}
