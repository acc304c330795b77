//! Gates: the bits of an activation and a product, for every layout, place and level; gradients; and input that is refused.

use crate::bad_input::{mark, refusal, refused, untouched};
use crate::support::{Bits, Float, assert_same, show, ulps};
use activations::{
    Activation, AnyActivation, Gate, Gated, GeGlu, GeGluTanh, Gelu, GeluTanh, Glu, LeakyRelu, Level, Mish, Packing,
    ReGlu, Relu, Sigmoid, Silu, Softmax, SwiGlu, Tanh,
};

/// Lengths just below and above a vector, a strip, a block, and the number of pairs that are separated at a time.
const LENGTHS: [usize; 18] = [0, 1, 2, 3, 7, 15, 16, 17, 63, 65, 256, 257, 511, 512, 513, 1023, 1030, 1100];

/// Calls the macro with each gate, its activation and its name.
macro_rules! each_gate {
    ($check:ident: $($T:ty),+) => {$(
        $check::<$T, _, _>("glu", Glu, Sigmoid);
        $check::<$T, _, _>("swi_glu", SwiGlu, Silu);
        $check::<$T, _, _>("ge_glu", GeGlu, Gelu);
        $check::<$T, _, _>("ge_glu_tanh", GeGluTanh, GeluTanh);
        $check::<$T, _, _>("re_glu", ReGlu, Relu);
        $check::<$T, _, _>("gated leaky_relu", Gated(LeakyRelu::default()), LeakyRelu::default());
        $check::<$T, _, _>("gated by name", Gated(AnyActivation::from(Mish)), Mish);
    )+};
}

/// Gates, ups, gradients, and the expected results.
struct Case<T> {
    gate: Vec<T>,
    up: Vec<T>,
    grad_out: Vec<T>,
    out: Vec<T>,
    grad_gate: Vec<T>,
    grad_up: Vec<T>,
}

impl<T: Float> Case<T> {
    /// The expected results, from the activation alone and products of slices.
    fn separately(f: &dyn Activation<T>, bits: &mut Bits, n: usize) -> Self {
        let [gate, up, grad_out] = [(); 3].map(|()| bits.floats::<T>(n));
        let product = |a: &[T], b: &[T]| a.iter().zip(b).map(|(&a, &b)| a * b).collect::<Vec<T>>();
        let value = f.forward_vec(&gate);
        let out = product(&value, &up);
        let grad_gate = f.backward_vec(&gate, &product(&grad_out, &up));
        let grad_up = product(&grad_out, &value);
        Self { gate, up, grad_out, out, grad_gate, grad_up }
    }

    fn part(&self, from: usize, to: usize) -> Self {
        let part = |slice: &[T]| slice[from..to].to_vec();
        Self {
            gate: part(&self.gate),
            up: part(&self.up),
            grad_out: part(&self.grad_out),
            out: part(&self.out),
            grad_gate: part(&self.grad_gate),
            grad_up: part(&self.grad_up),
        }
    }

    fn check(&self, what: &str, gate: &dyn Gate<T>) {
        let n = self.gate.len();
        let stale = || vec![T::nan(); n];
        let (mut out, mut in_place, mut grad_gate, mut grad_up) = (stale(), self.gate.clone(), stale(), stale());
        gate.forward(&self.gate, &self.up, &mut out);
        assert_same(&format!("{what}, forward"), &self.gate, &self.out, &out);
        gate.forward_in_place(&mut in_place, &self.up);
        assert_same(&format!("{what}, forward_in_place"), &self.gate, &self.out, &in_place);
        gate.backward(&self.gate, &self.up, &self.grad_out, &mut grad_gate, &mut grad_up);
        assert_same(&format!("{what}, grad_gate"), &self.gate, &self.grad_gate, &grad_gate);
        assert_same(&format!("{what}, grad_up"), &self.gate, &self.grad_up, &grad_up);
    }

    fn check_packed(&self, what: &str, gate: &dyn Gate<T>, packing: Packing) {
        let n = self.gate.len();
        let (x, expected) = (pack(packing, &self.gate, &self.up), pack(packing, &self.grad_gate, &self.grad_up));
        let (mut out, mut grad_x) = (vec![T::nan(); n], vec![T::nan(); 2 * n]);
        gate.forward_packed(packing, &x, &mut out);
        assert_same(&format!("{what}, {packing:?}"), &self.gate, &self.out, &out);
        gate.backward_packed(packing, &x, &self.grad_out, &mut grad_x);
        assert_same(&format!("{what}, gradient, {packing:?}"), &x, &expected, &grad_x);
    }
}

/// Gates and ups in one slice, in the documented layouts.
fn pack<T: Float>(packing: Packing, gate: &[T], up: &[T]) -> Vec<T> {
    let rows = |n: usize, first: &[T], second: &[T]| -> Vec<T> {
        first.chunks(n.max(1)).zip(second.chunks(n.max(1))).flat_map(|(a, b)| [a, b].concat()).collect()
    };
    match packing {
        Packing::GateFirst(n) => rows(n, gate, up),
        Packing::UpFirst(n) => rows(n, up, gate),
        _ => gate.iter().zip(up).flat_map(|(&gate, &up)| [gate, up]).collect(),
    }
}

#[test]
fn gates_have_the_bits_of_an_activation_and_a_product() {
    fn check<T: Float, G: Gate<T> + Copy, A: Activation<T> + Copy>(name: &str, gated: G, f: A) {
        for level in Level::available() {
            let (at, mut bits) = (level.with(gated), Bits(21));
            for n in LENGTHS {
                let case = Case::<T>::separately(&level.with(f), &mut bits, n);
                let what = format!("{name} at {level}, {n} elements");
                case.check(&what, &at);
                case.check_packed(&what, &at, Packing::Interleaved);
                for row in (1..=n).filter(|&row| n.is_multiple_of(row) && (row > 8 || n < 600)) {
                    case.check_packed(&what, &at, Packing::GateFirst(row));
                    case.check_packed(&what, &at, Packing::UpFirst(row));
                }
            }
        }
        Case::<T>::separately(&f, &mut Bits(21), 300).check(&format!("{name} at the best level"), &gated);
    }
    each_gate!(check: f32, f64);
}

#[test]
fn bits_of_gates_do_not_depend_on_position_or_level() {
    fn check<T: Float, G: Gate<T> + Copy, A: Activation<T> + Copy>(name: &str, gated: G, f: A) {
        for fused in [true, false] {
            let mut levels = Level::available().filter(|level| level.is_fused() == fused).peekable();
            let Some(&first) = levels.peek() else { continue };
            let case = Case::<T>::separately(&first.with(f), &mut Bits(22), 1_300);
            for level in levels {
                for from in [0, 1, 3, 8, 33] {
                    for n in LENGTHS {
                        let part = case.part(from, from + n);
                        let what = format!("{name} at {level}, elements {from}..{}", from + n);
                        part.check(&what, &level.with(gated));
                        part.check_packed(&what, &level.with(gated), Packing::Interleaved);
                    }
                }
            }
        }
    }
    each_gate!(check: f32, f64);
}

#[test]
fn gradients_of_gates_are_limits_of_differences() {
    fn check<T: Float, G: Gate<T> + Copy, A: Activation<T> + Copy>(name: &str, gated: G, _: A) {
        let h = 2.0_f64.powi(-20);
        let of = |gate: f64, up: f64| {
            let mut out = [T::nan()];
            gated.forward(&[T::of(gate)], &[T::of(up)], &mut out);
            out[0].wide()
        };
        let mut bits = Bits(23);
        for _ in 0..2_000 {
            let (gate, up, grad_out) = (bits.within(8.0), bits.within(8.0), bits.within(2.0));
            let (mut grad_gate, mut grad_up) = ([T::nan()], [T::nan()]);
            gated.backward(&[T::of(gate)], &[T::of(up)], &[T::of(grad_out)], &mut grad_gate, &mut grad_up);
            let by_gate = grad_out * (of(gate + h, up) - of(gate - h, up)) / (2.0 * h);
            let by_up = grad_out * (of(gate, up + h) - of(gate, up - h)) / (2.0 * h);
            for (what, got, expected) in [("gate", grad_gate[0].wide(), by_gate), ("up", grad_up[0].wide(), by_up)] {
                assert!((got - expected).abs() < 1e-7, "{name}, grad_{what} at {gate}, {up}: {got}, not {expected}");
            }
        }
    }
    each_gate!(check: f64);
}

#[test]
fn the_stated_bound_of_gates_follows_from_the_activations() {
    // The reference is libm's, in f64. The product has the activation's relative error and one rounding.
    let (mut bits, mut worst) = (Bits(24), 0);
    for _ in 0..200_000 {
        let (gate, up) = (bits.within(20.0) as f32, bits.within(20.0) as f32);
        let exact = f64::from(gate) / (1.0 + libm::exp(-f64::from(gate))) * f64::from(up);
        let mut out = [f32::NAN];
        SwiGlu.forward(&[gate], &[up], &mut out);
        let error = ulps(out[0], exact as f32);
        assert!(error <= 6, "swi_glu of {}, {}: {}, not {exact:e}, {error} ULP", show(gate), show(up), show(out[0]));
        worst = worst.max(error);
    }
    assert!(worst > 0, "a sweep that finds no error measures nothing");
}

#[test]
fn special_values_of_gates() {
    let inf = f64::INFINITY;
    let of = |gate: f64, up: f64| {
        let mut out = [0.0];
        SwiGlu.forward(&[gate], &[up], &mut out);
        out[0]
    };
    assert!(of(f64::NAN, 0.0).is_nan() && of(0.0, f64::NAN).is_nan());
    assert!(of(-inf, inf).is_nan(), "zero times infinity");
    assert_eq!(of(inf, -2.0), -inf);
    assert_eq!(of(-inf, 2.0).to_bits(), (-0.0_f64).to_bits());
    assert_eq!(of(-0.0, 2.0).to_bits(), (-0.0_f64).to_bits());
}

#[test]
fn the_layouts_are_those_of_the_libraries_that_are_named() {
    // torch.nn.functional.glu(torch.tensor([1., 2., 0., 0.])) is [0.5, 1.0].
    let mut out = [0.0_f32; 2];
    Glu.forward_packed(Packing::UpFirst(2), &[1.0, 2.0, 0.0, 0.0], &mut out);
    assert_eq!(out, [0.5, 1.0]);
    Glu.forward_packed(Packing::GateFirst(2), &[0.0, 0.0, 1.0, 2.0], &mut out);
    assert_eq!(out, [0.5, 1.0]);
    Glu.forward_packed(Packing::Interleaved, &[0.0, 1.0, 0.0, 2.0], &mut out);
    assert_eq!(out, [0.5, 1.0]);
}

#[test]
fn gates_can_be_objects() {
    let gates: [(&str, Box<dyn Gate<f32>>); 2] = [("re_glu", Box::new(ReGlu)), ("ge_glu", Box::new(GeGlu))];
    for (name, gate) in gates {
        let mut out = [0.0];
        gate.forward(&[20.0], &[3.0], &mut out);
        assert_eq!(out, [60.0], "{name}");
    }
}

#[test]
fn slices_of_gates_that_do_not_fit_panic_naming_both_and_nothing_is_written() {
    fn check<T: Float, G: Gate<T> + Copy, A: Activation<T> + Copy>(name: &str, gated: G, _: A) {
        for (n, other) in [(0, 1), (1, 0), (3, 2), (16, 31), (513, 512)] {
            let (x, y) = (vec![T::of(0.5); n], vec![T::of(0.5); other]);
            let (mut right, mut wrong, mut wrong_too) =
                (vec![mark::<T>(); n], vec![mark::<T>(); other], vec![mark(); n]);
            let both = [format!("{n} elements"), format!("has {other}")];
            refused!(name, gated.forward(&x, &y, &mut right), both[0], both[1], "`gate`", "`up`");
            refused!(name, gated.forward(&x, &x, &mut wrong), both[0], both[1], "`gate`", "`out`");
            refused!(name, gated.forward_in_place(&mut right, &y), both[0], both[1], "`gate`", "`up`");
            let (a, b) = (&mut right, &mut wrong_too);
            refused!(name, gated.backward(&x, &y, &x, a, b), both[0], both[1], "`gate`", "`up`");
            refused!(name, gated.backward(&x, &x, &y, a, b), both[0], both[1], "`grad_out`");
            refused!(name, gated.backward(&x, &x, &x, &mut wrong, b), both[0], both[1], "`grad_gate`");
            refused!(name, gated.backward(&x, &x, &x, a, &mut wrong), both[0], both[1], "`grad_up`");
            let (pairs, mut grad_x) = (vec![T::of(0.5); 2 * n], vec![mark::<T>(); 2 * n]);
            for packing in [Packing::GateFirst(n), Packing::UpFirst(n), Packing::Interleaved] {
                if n == 0 {
                    continue;
                }
                let lengths = [format!("{} elements", 2 * n), format!("{n}, but has {other}")];
                refused!(name, gated.forward_packed(packing, &pairs, &mut wrong), lengths[0], lengths[1], "`out`");
                let call = |grad_x: &mut [T]| gated.backward_packed(packing, &pairs, &y, grad_x);
                assert!(refusal(|| call(&mut grad_x)).is_some_and(|refusal| refusal.message.contains("`grad_out`")));
                refused!(name, gated.backward_packed(packing, &pairs, &x, &mut wrong), "`grad_x`", "`x`", 2 * n);
            }
            for buffer in [&right, &wrong, &wrong_too, &grad_x] {
                untouched(name, buffer);
            }
        }
        // Parts of rows.
        let (x, mut out, mut grad_x) = (vec![T::of(0.5); 6], vec![mark::<T>(); 3], vec![mark::<T>(); 6]);
        for n in [0, 2, 4, usize::MAX] {
            let refused = refusal(|| gated.forward_packed(Packing::GateFirst(n), &x, &mut out)).expect("parts of rows");
            assert!(refused.message.contains("6 elements") && refused.message.contains("rows"), "{}", refused.message);
            refused!(name, gated.backward_packed(Packing::UpFirst(n), &x, &x[..3], &mut grad_x), "6 elements", "rows");
        }
        refused!(name, gated.forward_packed(Packing::Interleaved, &x[..5], &mut out), "5 elements", "rows of 2");
        untouched(name, &out);
        untouched(name, &grad_x);
        // No elements at all are allowed.
        gated.forward_packed(Packing::GateFirst(0), &[], &mut [] as &mut [T]);
        gated.backward_packed(Packing::GateFirst(7), &[], &[], &mut [] as &mut [T]);
    }
    each_gate!(check: f32, f64);
}

#[test]
fn a_boxed_activation_is_gated() {
    let boxed = Gated(Box::new(Tanh) as Box<dyn Activation<f32>>);
    Case::<f32>::separately(&Tanh, &mut Bits(25), 3_000).check("gated box", &boxed);
}

#[test]
fn rows_of_an_activation_stay_whole_in_a_gate() {
    for (n, rows) in [(1, 5), (10, 300), (512, 3), (1_024, 2), (3_000, 2)] {
        let (softmax, mut bits) = (Softmax::rows(n).unwrap(), Bits(26));
        let case = Case::<f64>::separately(&softmax, &mut bits, n * rows);
        let what = format!("gated softmax, {rows} rows of {n}");
        case.check(&what, &Gated(softmax));
        case.check_packed(&what, &Gated(softmax), Packing::GateFirst(n));
        case.check_packed(&what, &Gated(softmax), Packing::UpFirst(n * rows));
        if n <= 512 {
            case.check_packed(&what, &Gated(softmax), Packing::Interleaved);
        }
    }
}

#[test]
fn rows_that_do_not_fit_into_a_gate_panic_naming_both_and_nothing_is_written() {
    let softmax = Gated(Softmax::rows(600).unwrap());
    let (x, mut out) = ([0.5_f32; 1_200], [mark::<f32>(); 600]);
    // Only the activation knows the lengths of its rows, so `run` finds the fault, and the message does not name the caller's line.
    let mut says = |call: &dyn Fn(&mut [f32]), parts: [&str; 2]| {
        let message = refusal(|| call(&mut out)).expect("refused").message;
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };
    says(&|out| softmax.forward_packed(Packing::Interleaved, &x, out), ["at most 512", "have 600"]);
    says(&|out| softmax.forward(&x[..500], &x[..500], &mut out[..500]), ["500 elements", "rows of 600"]);
    says(&|out| softmax.forward_packed(Packing::GateFirst(300), &x, out), ["300 elements", "rows of 600"]);
    untouched("gated softmax", &out);
}

/// The reference is `f32`, rounded once.
#[cfg(feature = "half")]
#[test]
fn gates_of_halves_are_those_of_f32_rounded_once() {
    fn check<H: activations::Element<Float = f32>>(of: fn(f32) -> H, wide: fn(H) -> f32) {
        for n in LENGTHS {
            let mut bits = Bits(27);
            let [gate, up, grad_out] =
                [(); 3].map(|()| (0..n).map(|_| of(bits.within(9.0) as f32)).collect::<Vec<H>>());
            let widened = |x: &[H]| x.iter().map(|&x| wide(x)).collect::<Vec<f32>>();
            let (wide_gate, wide_up, wide_grad) = (widened(&gate), widened(&up), widened(&grad_out));
            let [mut out, mut grad_gate, mut grad_up] = [(); 3].map(|()| vec![0.0; n]);
            SwiGlu.forward(&wide_gate, &wide_up, &mut out);
            SwiGlu.backward(&wide_gate, &wide_up, &wide_grad, &mut grad_gate, &mut grad_up);
            let expected = [out, grad_gate, grad_up].map(|x| x.into_iter().map(of).collect::<Vec<H>>());
            for gated in [&SwiGlu as &dyn Gate<H>, &Gated(Silu)] {
                let [mut out, mut in_place, mut a, mut b] = [(); 4].map(|()| gate.clone());
                gated.forward(&gate, &up, &mut out);
                gated.forward_in_place(&mut in_place, &up);
                gated.backward(&gate, &up, &grad_out, &mut a, &mut b);
                assert_eq!([&out, &in_place, &a, &b], [&expected[0], &expected[0], &expected[1], &expected[2]], "{n}");
                let pairs: Vec<H> = gate.iter().zip(&up).flat_map(|(&gate, &up)| [gate, up]).collect();
                let mut grad_x = pairs.clone();
                gated.forward_packed(Packing::Interleaved, &pairs, &mut out);
                gated.backward_packed(Packing::Interleaved, &pairs, &grad_out, &mut grad_x);
                assert_eq!(out, expected[0], "{n}, interleaved");
                let expected_x: Vec<H> =
                    expected[1].iter().zip(&expected[2]).flat_map(|(&gate, &up)| [gate, up]).collect();
                assert_eq!(grad_x, expected_x, "{n}, interleaved");
            }
        }
    }
    check(half::f16::from_f32, half::f16::to_f32);
    check(half::bf16::from_f32, half::bf16::to_f32);
}
