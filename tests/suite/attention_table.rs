//! PyTorch's results in f64 for scores of attention and routers of experts, from a committed table (`tools/attention.py`).

use std::collections::BTreeMap;

use activations::{Broadcast, Element, Level, LogSoftmax, Scores, SinkGradient, Softmax, TopKSoftmax};

/// One case: its parameters, and its numbers, by part.
struct Case {
    name: String,
    parameters: BTreeMap<String, String>,
    numbers: BTreeMap<String, Vec<f64>>,
}

impl Case {
    fn number(&self, key: &str) -> f64 {
        self.parameters[key].parse().unwrap_or_else(|e| panic!("{}, {key}: {e}", self.name))
    }

    fn count(&self, key: &str) -> usize {
        self.number(key) as usize
    }

    fn of<T: Number>(&self, part: &str) -> Vec<T> {
        self.numbers.get(part).map_or(vec![], |numbers| numbers.iter().map(|&x| T::of(x)).collect())
    }

    fn assert_near<T: Number>(&self, level: Level, part: &str, got: &[T]) {
        let expected = &self.numbers[part];
        assert_eq!(expected.len(), got.len(), "{}, {part}", self.name);
        // Scores are up to 16, each off by a few roundings. A half is rounded once more.
        let size = expected.iter().filter(|y| y.is_finite()).fold(1.0_f64, |size, y| size.max(y.abs()));
        for (i, (&e, got)) in expected.iter().zip(got).enumerate() {
            let got = got.wide();
            let noise = 64.0 * T::COMPUTED * size + T::HALF_ULP * e.abs() + T::LEAST;
            let what = || format!("{} {:?} at {level}, {part}, element {i}", self.name, self.parameters);
            assert!((e - got).abs() <= noise || e == got, "{}: {e:e}, got {got:e}", what());
        }
    }
}

fn table() -> (String, Vec<Case>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/attention.csv");
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let (mut versions, mut cases) = (String::new(), Vec::<Case>::new());
    for line in text.lines() {
        match line.split(',').collect::<Vec<&str>>()[..] {
            ["versions", ref of @ ..] => versions = of.join(", "),
            ["case", name, ref parameters @ ..] => {
                let pair = |parameter: &&str| parameter.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
                let parameters = parameters.iter().map(|p| pair(p).expect("KEY=VALUE")).collect();
                cases.push(Case { name: name.to_owned(), parameters, numbers: BTreeMap::new() });
            }
            [part, ref numbers @ ..] => {
                let number = |hex: &&str| f64::from_bits(u64::from_str_radix(hex, 16).expect("sixteen digits"));
                let case = cases.last_mut().expect("a case before its numbers");
                case.numbers.insert(part.to_owned(), numbers.iter().map(number).collect());
            }
            [] => {}
        }
    }
    (versions, cases)
}

/// An element with its relative roundings: of the type of computation, and of a half.
trait Number: Element {
    const COMPUTED: f64;
    const HALF_ULP: f64 = 0.0;
    const LEAST: f64 = 0.0;

    fn of(x: f64) -> Self;
    fn wide(self) -> f64;
}

impl Number for f32 {
    const COMPUTED: f64 = f32::EPSILON as f64 / 2.0;

    fn of(x: f64) -> Self {
        x as Self
    }

    fn wide(self) -> f64 {
        self.into()
    }
}

impl Number for f64 {
    const COMPUTED: f64 = f64::EPSILON / 2.0;

    fn of(x: f64) -> Self {
        x
    }

    fn wide(self) -> f64 {
        self
    }
}

#[cfg(feature = "half")]
macro_rules! half {
    ($($half:ident: $digits:literal, $least:literal)*) => {$(
        impl Number for half::$half {
            const COMPUTED: f64 = f32::COMPUTED;
            const HALF_ULP: f64 = 1.0 / (1_u64 << $digits) as f64;
            const LEAST: f64 = $least;

            fn of(x: f64) -> Self {
                Self::from_f64(x)
            }

            fn wide(self) -> f64 {
                self.into()
            }
        }
    )*};
}
#[cfg(feature = "half")]
half!(f16: 11, 3e-8 bf16: 8, 0.0);

fn scores<T: Number>(case: &Case, level: Level) {
    let (bias, sinks) = (case.of::<T>("bias"), case.of::<T>("sinks"));
    macro_rules! run {
        ($function:ident) => {{
            let rows = $function::rows(case.count("K")).unwrap();
            let mut scores: Scores<'_, $function, T> = rows.scaled(case.number("scale")).unwrap();
            if case.number("cap") > 0.0 {
                scores = scores.soft_cap(case.number("cap")).unwrap();
            }
            if !bias.is_empty() {
                scores = scores.biased(&bias).unwrap();
            }
            if case.count("causal") == 1 {
                scores = scores.causal(case.count("Q"), case.number("offset") as isize).unwrap();
            }
            if case.count("window") > 0 {
                scores = scores.window(case.count("window")).unwrap();
            }
            if !sinks.is_empty() {
                scores = scores.sink(Broadcast::each_cycled(&sinks, case.count("Q"))).unwrap();
            }
            check(case, level, &level.with(scores));
        }};
    }
    match case.parameters["function"].as_str() {
        "softmax" => run!(Softmax),
        _ => run!(LogSoftmax),
    }
}

fn check<T: Number>(case: &Case, level: Level, scores: &impl SinkGradient<T>) {
    let (x, g) = (case.of::<T>("x"), case.of::<T>("g"));
    let (mut y, mut grad_x) = (vec![T::nan(); x.len()], vec![T::nan(); x.len()]);
    let mut grad_sinks = vec![T::nan(); scores.sinks()];
    scores.forward(&x, &mut y);
    case.assert_near(level, "y", &y);
    // Log-probabilities of -inf are left out of PyTorch's sum.
    let g: Vec<T> = g.iter().zip(&y).map(|(&g, y)| if y.wide() == f64::NEG_INFINITY { T::zero() } else { g }).collect();
    scores.backward_with_sink(&x, &g, &mut grad_x, &mut grad_sinks);
    case.assert_near(level, "grad_x", &grad_x);
    if scores.sinks() > 0 {
        case.assert_near(level, "grad_sinks", &grad_sinks);
    }
}

fn router<T: Number>(case: &Case, level: Level) {
    let router = TopKSoftmax::new(case.count("experts"), case.count("k")).unwrap();
    let router = if case.parameters["over"] == "all" { router.over_all() } else { router };
    let (x, g) = (case.of::<T>("x"), case.of::<T>("g"));
    let (mut indices, mut weights, mut grad_x) = (vec![0; g.len()], vec![T::nan(); g.len()], vec![T::nan(); x.len()]);
    router.forward_at(level, &x, &mut indices, &mut weights);
    let expected: Vec<usize> = case.numbers["indices"].iter().map(|&i| i as usize).collect();
    assert_eq!(indices, expected, "{:?}", case.parameters);
    case.assert_near(level, "weights", &weights);
    router.backward_at(level, &x, &indices, &g, &mut grad_x);
    case.assert_near(level, "grad_x", &grad_x);
}

#[test]
fn attention_and_routers_are_those_of_pytorch() {
    let (versions, cases) = table();
    assert!(versions.starts_with("torch") && cases.len() >= 20, "{versions}, {} cases", cases.len());
    for (case, level) in cases.iter().flat_map(|case| Level::available().map(move |level| (case, level))) {
        macro_rules! each {
            ($($type:ty)*) => {$(
                if case.name == "router" { router::<$type>(case, level) } else { scores::<$type>(case, level) }
            )*};
        }
        each!(f32 f64);
        #[cfg(feature = "half")]
        each!(half::f16 half::bf16);
    }
}
