//! The bits of every function, as committed digests. They are the same on every CPU of a kind, in every build. `Exact` has one line for
//! all CPUs.
//!
//! `reproducibility` compares the levels of one machine; this test compares machines and builds. Halves are tested with their own tests.
//! `tools/bits` is a program with only this test, which `tools/bits.sh` compiles for many builds. After an intended change of bits,
//! which the changelog must list, `tools/bits.sh --write` writes the file again.

use std::collections::BTreeMap;

use activations::{
    Activation, AnyActivation, At, BiasGradient, Biased, BinaryCrossEntropy, Broadcast, ClampedSwiGlu, CrossEntropy,
    Element, Exact, Gate, Gelu, Level, LogSumExp, PerChannel, Prelu, SecondDerivative, SinkGradient, Softmax, SwiGlu,
    SwishBeta, TopKSoftmax,
};

use crate::support::{Bits, Outputs, chosen, digest_inputs, fnv, is_chosen, is_elementwise, levels, on_rows, only};
#[cfg(feature = "half")]
use half::{bf16, f16};

/// An element with its bits, and useful inputs.
pub(crate) trait Number: Element {
    const TYPE: &'static str;
    /// All NaNs have the same digest.
    fn pattern(self) -> u64;
    fn inputs() -> Vec<Self>;
    /// The results of the correctly rounded function, if the function and the type have one.
    fn exact(activation: &AnyActivation, level: Level, x: &[Self], grad_y: &[Self]) -> Option<Outputs<Self>>;
}

macro_rules! number {
    ($($number:ty: $inputs:expr, $run:expr;)*) => {$(
        impl Number for $number {
            const TYPE: &'static str = stringify!($number);

            fn pattern(self) -> u64 {
                if self.is_nan() { u64::MAX } else { self.to_bits().into() }
            }

            fn inputs() -> Vec<Self> {
                $inputs
            }

            fn exact(activation: &AnyActivation, level: Level, x: &[Self], grad_y: &[Self]) -> Option<Outputs<Self>> {
                let run: fn(&AnyActivation, Level, &[Self], &[Self]) -> Option<Outputs<Self>> = $run;
                run(activation, level, x, grad_y)
            }
        }
    )*};
}

fn exactly<T: Element<Float = f32>>(
    activation: &AnyActivation,
    level: Level,
    x: &[T],
    grad_y: &[T],
) -> Option<Outputs<T>> {
    if let Some(exact) = activation.as_exact() {
        return Some(Outputs::of(&level.with(exact), x, grad_y));
    }
    match activation {
        AnyActivation::Softmax(rows) => Some(Outputs::of(&level.with(Exact(*rows)), x, grad_y)),
        AnyActivation::LogSoftmax(rows) => Some(Outputs::of(&level.with(Exact(*rows)), x, grad_y)),
        AnyActivation::Softmin(rows) => Some(Outputs::of(&level.with(Exact(*rows)), x, grad_y)),
        _ => None,
    }
}

number! {
    f32: digest_inputs(), exactly;
    f64: digest_inputs(), |_, _, _, _| None;
}

#[cfg(feature = "half")]
number! {
    f16: (0..=u16::MAX).map(Self::from_bits).collect(), exactly;
    bf16: (0..=u16::MAX).map(Self::from_bits).collect(), exactly;
}

/// Rows of scores of several lengths, one after the other.
pub(crate) fn rows<T: Number>() -> Vec<Vec<T>> {
    let mut bits = Bits(22);
    [1, 2, 7, 10, 31, 32, 33, 100, 128, 200, 1000, 1024, 1025, 3000, 10_000]
        .map(|len| {
            let size = [1.0, 10.0, 100.0, 1e4][len % 4];
            (0..len)
                .map(|_| if bits.next().is_multiple_of(50) { T::neg_infinity() } else { number(bits.within(size)) })
                .collect()
        })
        .into()
}

/// Rounded to the type.
fn number<T: Number>(x: f64) -> T {
    T::from(x).expect("every element has a number near it")
}

/// The numbers in reverse order, as gradients. Numbers that are not finite become 1.
pub(crate) fn gradients<T: Number>(x: &[T]) -> Vec<T> {
    x.iter().rev().map(|x| if x.is_finite() { *x } else { T::one() }).collect()
}

fn digest<T: Number>(numbers: impl IntoIterator<Item = T>) -> u64 {
    fnv(numbers.into_iter().map(Number::pattern))
}

#[track_caller]
fn assert_same<T: Number>(what: &str, x: &[T], expected: &[T], got: &[T]) {
    assert_eq!(expected.len(), got.len(), "{what}: number of elements");
    if let Some(i) = expected.iter().zip(got).position(|(expected, got)| expected.pattern() != got.pattern()) {
        let [x, expected, got] =
            [x, expected, got].map(|numbers| format!("{:?} ({:#x})", numbers[i], numbers[i].pattern()));
        panic!("{what} of {}: element {i}, x = {x}: expected {expected}, got {got}", T::TYPE);
    }
}

/// Lengths just below and above a vector, a strip of 64, a block of 256, and the least length that is aligned.
const LENGTHS: [usize; 20] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 255, 257, 511, 1_023, 1_025];

/// Checks that the bits are the same in pieces of any length and start, and on any number of threads.
fn elements_stand_alone<T: Number>(at: &At<AnyActivation>, x: &[T], grad_y: &[T], whole: &Outputs<T>) {
    let mut start = 0;
    for len in LENGTHS.into_iter().cycle() {
        if start == x.len() {
            break;
        }
        let piece = start..x.len().min(start + len);
        start = piece.end;
        let outputs = Outputs::of(at, &x[piece.clone()], &grad_y[piece.clone()]);
        for ((method, whole), (_, part)) in whole.named().into_iter().zip(outputs.named()) {
            assert_same(&format!("{at:?} {method}, {piece:?}"), &x[piece.clone()], &whole[piece.clone()], part);
        }
    }
    for (threads, outputs) in on_threads(at, x, grad_y) {
        for ((method, whole), (_, shared)) in whole.named().into_iter().zip(outputs.named()) {
            assert_same(&format!("{at:?} {method}, {threads} threads"), x, whole, shared);
        }
    }
}

#[cfg(all(feature = "rayon", not(target_family = "wasm")))]
fn on_threads<T: Number>(at: &At<AnyActivation>, x: &[T], grad_y: &[T]) -> impl Iterator<Item = (usize, Outputs<T>)> {
    use activations::IntoParallel;
    use std::sync::LazyLock;

    static POOLS: LazyLock<[(usize, rayon::ThreadPool); 4]> = LazyLock::new(|| {
        [1, 2, 3, 8].map(|threads| {
            (threads, rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads"))
        })
    });
    POOLS
        .iter()
        .map(|(threads, pool)| (*threads, pool.install(|| Outputs::of(&(*at).parallel().with_min_len(64), x, grad_y))))
}

#[cfg(not(all(feature = "rayon", not(target_family = "wasm"))))]
fn on_threads<T: Number>(_: &At<AnyActivation>, _: &[T], _: &[T]) -> impl Iterator<Item = (usize, Outputs<T>)> {
    std::iter::empty()
}

/// Checks that a row between others has the same bits.
fn rows_stand_alone<T: Number>(level: Level, activation: AnyActivation, x: &[T], grad_y: &[T], whole: &Outputs<T>) {
    let n = x.len();
    let same_name = |other: &AnyActivation| other.card().name == activation.card().name;
    let between = on_rows(n).into_iter().find(same_name).expect("a function of rows");
    let three = |row: &[T], other: &[T]| [other, row, other].concat();
    let outputs = Outputs::of(&level.with(between), &three(x, grad_y), &three(grad_y, grad_y));
    for ((method, whole), (_, three)) in whole.named().into_iter().zip(outputs.named()) {
        assert_same(&format!("{activation} at {level} {method}, row of {n}"), x, whole, &three[n..2 * n]);
    }
}

/// Digests by function, type, kind and method.
pub(crate) type Digests = BTreeMap<String, u64>;

/// Enters a digest. All levels of one kind must have the same.
fn enter<T: Number>(digests: &mut Digests, name: &str, level: Level, what: &str, numbers: impl IntoIterator<Item = T>) {
    enter_as(digests, name, if level.is_fused() { "fused" } else { "plain" }, level, what, numbers);
}

/// The same for functions that have the same bits in every kind.
fn enter_as<T: Number>(
    digests: &mut Digests,
    name: &str,
    kind: &str,
    level: Level,
    what: &str,
    numbers: impl IntoIterator<Item = T>,
) {
    let (line, digest) = (format!("{name},{},{kind},{what}", T::TYPE), digest(numbers));
    let before = digests.insert(line.clone(), digest);
    assert!(before.is_none_or(|before| before == digest), "{line}: other bits at {level}");
}

/// Enters the results of a function's methods for each of the inputs.
pub(crate) fn enter_outputs<T: Number>(digests: &mut Digests, name: &str, level: Level, outputs: &[Outputs<T>]) {
    let mut enter_all = |what: &str, output: fn(&Outputs<T>) -> &[T]| {
        enter(digests, name, level, what, outputs.iter().flat_map(output).copied());
    };
    enter_all("forward", |outputs| &outputs.forward);
    enter_all("derivative", |outputs| &outputs.derivative);
    enter_all("backward", |outputs| &outputs.backward);
}

fn activations<T: Number>(digests: &mut Digests) {
    let (inputs, rows) = (vec![T::inputs()], rows::<T>());
    for activation in chosen() {
        let elementwise = is_elementwise(&activation);
        let x = if elementwise { &inputs } else { &rows };
        for level in levels() {
            let at = level.with(activation);
            let outputs: Vec<Outputs<T>> = x
                .iter()
                .map(|x| {
                    let grad_y = gradients(x);
                    let outputs = Outputs::of(&at, x, &grad_y);
                    if elementwise {
                        elements_stand_alone(&at, x, &grad_y, &outputs);
                    } else {
                        rows_stand_alone(level, activation, x, &grad_y, &outputs);
                    }
                    outputs
                })
                .collect();
            enter_outputs(digests, &activation.to_string(), level, &outputs);
            if let Some(from_output) = activation.as_from_output::<T>() {
                let grads = outputs.iter().flat_map(|outputs| {
                    let mut grad_x = vec![T::nan(); outputs.forward.len()];
                    let grad_y = gradients(&outputs.forward);
                    from_output.run_from_output(level, &outputs.forward, &grad_y, &mut grad_x);
                    grad_x
                });
                enter(digests, &activation.to_string(), level, "from_output", grads);
            }
        }
    }
}

/// The correctly rounded functions, whose bits are the same at all levels.
pub(crate) fn exact<T: Number>(digests: &mut Digests) {
    let (numbers, rows) = (vec![T::inputs()], rows::<T>());
    for activation in chosen() {
        let x = if is_elementwise(&activation) { &numbers } else { &rows };
        for level in levels() {
            let outputs = x.iter().filter_map(|x| T::exact(&activation, level, x, &gradients(x)));
            let outputs: Vec<Outputs<T>> = outputs.collect();
            if outputs.is_empty() {
                continue;
            }
            let mut enter = |what, of: fn(&Outputs<T>) -> &Vec<T>| {
                let numbers = outputs.iter().flat_map(|outputs| of(outputs).iter().copied());
                enter_as(digests, &activation.to_string(), "exact", level, what, numbers);
            };
            enter("forward", |outputs| &outputs.forward);
            enter("derivative", |outputs| &outputs.derivative);
            enter("backward", |outputs| &outputs.backward);
        }
    }
}

/// Gates, layers, log-sum-exp, losses, scores, and second derivatives.
pub(crate) fn around_them<T: Number>(digests: &mut Digests) {
    const CLASSES: usize = 37;
    let x = T::inputs();
    let grad_y = gradients(&x);
    let logits: Vec<T> = rows().concat().into_iter().take(CLASSES * 300).collect();
    let classes: Vec<u8> = (0..logits.len() / CLASSES).map(|row| (row * row % CLASSES) as u8).collect();
    let targets: Vec<T> = (0..x.len()).map(|i| number((i % 5) as f64 / 4.0)).collect();
    let nothing = |len: usize| vec![T::nan(); len];
    for level in levels() {
        let (mut out, mut grad_gate, mut grad_up) = (nothing(x.len()), nothing(x.len()), nothing(x.len()));
        level.with(SwiGlu).forward(&x, &grad_y, &mut out);
        level.with(SwiGlu).backward(&x, &grad_y, &targets, &mut grad_gate, &mut grad_up);
        enter(digests, "swi_glu", level, "forward", out);
        enter(digests, "swi_glu", level, "backward", [grad_gate, grad_up].concat());

        let layer = level.with(Biased { activation: Gelu, bias: &targets[..CLASSES] });
        let (mut grad_x, mut grad_bias) = (nothing(logits.len()), nothing(CLASSES));
        layer.backward_with_bias(&logits, &gradients(&logits), &mut grad_x, &mut grad_bias);
        enter(digests, "biased gelu", level, "backward", [grad_x, grad_bias].concat());

        let prelu = level.with(Prelu::new(&targets[..5]).inner(3));
        // The inputs are finite, so that the sums of the slopes' gradient are worth comparing.
        let finite = gradients(&logits[..15 * 700]);
        let (mut grad_x, mut grad_slopes) = (nothing(finite.len()), nothing(5));
        prelu.backward_with_slopes(&finite, &gradients(&finite), &mut grad_x, &mut grad_slopes);
        enter(digests, "prelu", level, "backward", [grad_x, grad_slopes].concat());

        let of_rows = rows::<T>().into_iter().map(|row| {
            let mut sum = LogSumExp::new();
            sum.push_slice_at(level, &row);
            sum.finish()
        });
        enter(digests, "log_sum_exp", level, "forward", of_rows);

        let loss =
            CrossEntropy::new(CLASSES).and_then(|loss| loss.label_smoothing(0.1)).expect("both are allowed").at(level);
        let mut grad = nothing(logits.len());
        let mean = loss.loss_and_gradient(&logits, &classes, &mut grad);
        grad.push(mean);
        enter(digests, "cross_entropy", level, "loss_and_gradient", grad);

        let (mut losses, mut grad) = (nothing(x.len()), nothing(x.len()));
        BinaryCrossEntropy::new().at(level).losses_and_gradient(&x, &targets, &mut losses, &mut grad);
        enter(digests, "binary_cross_entropy", level, "losses_and_gradient", [losses, grad].concat());

        let layer = ClampedSwiGlu::default();
        let (mut out, mut grad_gate, mut grad_up) = (nothing(x.len()), nothing(x.len()), nothing(x.len()));
        level.with(layer).forward(&x, &grad_y, &mut out);
        level.with(layer).backward(&x, &grad_y, &targets, &mut grad_gate, &mut grad_up);
        enter(digests, "clamped_swi_glu", level, "forward", out);
        enter(digests, "clamped_swi_glu", level, "backward", [grad_gate, grad_up].concat());

        let (mut grad_grad_y, mut grad_x) = (nothing(x.len()), nothing(x.len()));
        level.with(Gelu).double_backward(&x, &targets, &grad_y, &mut grad_grad_y, &mut grad_x);
        enter(digests, "gelu twice", level, "double_backward", [grad_grad_y, grad_x].concat());

        let per_channel = level.with(PerChannel::new(SwishBeta, [&targets[..5]]).inner(3));
        let (mut grad_x, mut grad_betas) = (nothing(finite.len()), nothing(5));
        per_channel.backward_with_parameters(&finite, &gradients(&finite), &mut grad_x, [&mut grad_betas]);
        enter(
            digests,
            "swish_beta",
            level,
            "backward",
            [per_channel.forward_vec(&finite), grad_x, grad_betas].concat(),
        );

        for (name, loss) in losses_of_rows(CLASSES) {
            let (mut losses, mut grad) = (nothing(classes.len()), nothing(logits.len()));
            loss.at(level).losses_and_gradient(&logits, &classes, &mut losses, &mut grad);
            enter(digests, name, level, "losses_and_gradient", [losses, grad].concat());
        }
        for (name, gamma) in [("binary focal 2", 2.0), ("binary focal 1.5", 1.5)] {
            let loss =
                BinaryCrossEntropy::new().focal(gamma).and_then(|loss| loss.alpha(0.25)).expect("both are allowed");
            let (mut losses, mut grad) = (nothing(x.len()), nothing(x.len()));
            loss.at(level).losses_and_gradient(&x, &targets, &mut losses, &mut grad);
            enter(digests, name, level, "losses_and_gradient", [losses, grad].concat());
        }
        attention(digests, level, &logits[..CLASSES * 40], CLASSES);

        let router = TopKSoftmax::new(CLASSES, 4).expect("experts");
        let chosen = 4 * classes.len();
        let (mut experts, mut weights, mut grad) = (vec![0; chosen], nothing(chosen), nothing(logits.len()));
        router.forward_at(level, &logits, &mut experts, &mut weights);
        router.backward_at(level, &logits, &experts, &gradients(&weights), &mut grad);
        let places = experts.iter().map(|&expert| number(expert as f64));
        enter(digests, "top_k_softmax", level, "forward and backward", [weights, grad, places.collect()].concat());

        let along = level.with(Softmax::axis(5_000, 3).expect("an axis"));
        let long: Vec<T> = gradients(&logits).into_iter().cycle().take(15_000).collect();
        let (p, mut grad) = (along.forward_vec(&long), nothing(long.len()));
        along.backward(&long, &gradients(&long), &mut grad);
        enter(digests, "softmax of a long axis", level, "forward and backward", [p, grad].concat());
    }
}

/// Losses that differ from the plain cross-entropy in one setting.
fn losses_of_rows(classes: usize) -> [(&'static str, CrossEntropy); 4] {
    let loss = CrossEntropy::new(classes).expect("classes");
    let along = CrossEntropy::axis(classes, 4).expect("an axis");
    [
        ("cross_entropy focal", loss.focal(2.0).expect("a gamma")),
        ("cross_entropy z_loss", loss.z_loss(1e-4).expect("a coefficient")),
        ("cross_entropy soft_cap", loss.soft_cap(30.0).expect("a cap")),
        ("cross_entropy axis", along),
    ]
}

/// Softmax of scores with a cap, a window, and sinks, and what their gradients are.
fn attention<T: Number>(digests: &mut Digests, level: Level, x: &[T], row_len: usize) {
    let x = gradients(x);
    let sinks: Vec<T> = [-1.0, 0.0, 0.5, 3.0].map(number).into();
    let scores =
        Softmax::rows(row_len).and_then(|softmax| softmax.scaled(0.25)).and_then(|scores| scores.soft_cap(5.0));
    let scores = scores.and_then(|scores| scores.causal(20, 3)?.window(9)?.sink(Broadcast::cycled(&sinks)));
    let scores = level.with(scores.expect("rows of a length"));
    let (mut grad, mut of_sinks) = (vec![T::nan(); x.len()], vec![T::nan(); sinks.len()]);
    scores.backward_with_sink(&x, &gradients(&x), &mut grad, &mut of_sinks);
    enter(
        digests,
        "softmax of attention",
        level,
        "forward and backward",
        [scores.forward_vec(&x), grad, of_sinks].concat(),
    );
}

pub(crate) fn committed() -> Digests {
    let digest = |text| u64::from_str_radix(text, 16).expect("a digest in hexadecimal digits");
    let lines = include_str!("../tables/digests.csv").lines().filter_map(|line| line.rsplit_once(','));
    lines.map(|(line, text)| (line.into(), digest(text))).collect()
}

/// The digests of this build for the type.
pub(crate) fn found<T: Number>() -> Digests {
    let mut found = Digests::new();
    activations::<T>(&mut found);
    exact::<T>(&mut found);
    if only().is_none() {
        around_them::<T>(&mut found);
    }
    found
}

/// Whether a line belongs to a function that is [`chosen`], or all are.
pub(crate) fn is_compared(line: &str) -> bool {
    is_chosen(line.split(',').next().unwrap_or_default())
}

/// Panics unless the digests of the type equal the committed ones, for every kind that this build has. Prints the kinds.
pub(crate) fn assert_committed<T: Number>() {
    let (found, committed) = (found::<T>(), committed());
    for kind in ["fused", "plain", "exact"] {
        let of_kind = |line: &str| line.split(',').skip(1).take(2).eq([T::TYPE, kind]);
        let here: Digests = found.clone().into_iter().filter(|(line, _)| of_kind(line)).collect();
        let all = committed.keys().filter(|line| of_kind(line) && is_compared(line)).count();
        if kind == "exact" && here.is_empty() && all == 0 {
            // The type has no `Exact`.
            continue;
        }
        if here.is_empty() {
            println!("{} {kind}: NOT TESTED, no such level here", T::TYPE);
            continue;
        }
        let differ: Vec<&String> =
            here.iter().filter(|(line, digest)| committed.get(*line) != Some(digest)).map(|(line, _)| line).collect();
        assert!(differ.is_empty(), "{} of {} digests differ: {differ:#?}", differ.len(), here.len());
        assert_eq!(here.len(), all, "{} {kind}: digests found here, and committed", T::TYPE);
        println!("{} {kind}: {all} digests equal", T::TYPE);
    }
}
