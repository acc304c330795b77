//! `Wide` gives the `f32` results of halves, without rounding to halves.

use activations::{Activation, BinaryCrossEntropy, Element, Gelu, LogSoftmax, Reduction, Softmax, Wide};
use half::{bf16, f16};

use crate::bad_input::{refused, untouched};
use crate::support::{Bits, assert_same};

const LENGTHS: [usize; 10] = [0, 1, 7, 64, 65, 1_000, 1_024, 1_025, 3_000, 5_000];

fn halves<H: Element<Float = f32>>(bits: &mut Bits, n: usize, of: fn(f32) -> H) -> Vec<H> {
    (0..n).map(|_| of(bits.within(9.0) as f32)).collect()
}

#[test]
fn activations_of_halves_give_the_results_of_f32() {
    fn check<H: Element<Float = f32>>(of: fn(f32) -> H, wide: fn(H) -> f32) {
        fn same<H: Element<Float = f32>, A: Activation<f32> + Copy>(x: &[H], widened: &[f32], f: A, rows_fit: bool) {
            let (n, grad_y) = (x.len(), f.forward_vec(widened));
            assert_same("wide forward", widened, &f.forward_vec(widened), &Wide(f).forward_vec(x));
            if !rows_fit {
                return;
            }
            let (mut dydx, mut grad_x) = (vec![f32::NAN; n], vec![f32::NAN; n]);
            Wide(f).derivative(x, &mut dydx);
            assert_same("wide derivative", widened, &f.derivative_vec(widened), &dydx);
            Wide(f).backward(x, &grad_y, &mut grad_x);
            assert_same("wide backward", widened, &f.backward_vec(widened, &grad_y), &grad_x);
        }
        let mut bits = Bits(61);
        for n in LENGTHS {
            let x = halves(&mut bits, n, of);
            let widened: Vec<f32> = x.iter().map(|&x| wide(x)).collect();
            same(&x, &widened, Gelu, true);
            same(&x, &widened, Softmax::default(), n <= 1_024);
            same(&x, &widened, LogSoftmax::default(), n <= 1_024);
            if n > 0 {
                let three = [&*x, &x, &x].concat();
                same(&three, &[&*widened, &widened, &widened].concat(), Softmax::rows(n).unwrap(), n <= 1_024);
            }
        }
    }
    check(f16::from_f32, f16::to_f32);
    check(bf16::from_f32, bf16::to_f32);
}

#[test]
fn binary_cross_entropy_of_halves_gives_losses_of_f32_and_gradients_rounded_once() {
    fn check<H: Element<Float = f32>>(of: fn(f32) -> H, wide: fn(H) -> f32) {
        let mut bits = Bits(62);
        for n in LENGTHS.into_iter().filter(|&n| n > 0) {
            let x = halves(&mut bits, n, of);
            let targets: Vec<H> = (0..n).map(|i| of((i % 5) as f32 / 4.0)).collect();
            let widened = |x: &[H]| x.iter().map(|&x| wide(x)).collect::<Vec<f32>>();
            let (wide_x, wide_targets) = (widened(&x), widened(&targets));
            let loss = BinaryCrossEntropy::new().reduction(Reduction::Sum);
            let (mut losses, mut grad) = (vec![f32::NAN; n], vec![f32::NAN; n]);
            loss.losses_and_gradient(&wide_x, &wide_targets, &mut losses, &mut grad);
            let rounded_grad: Vec<H> = grad.iter().map(|&g| of(g)).collect();
            let rounded_losses: Vec<H> = losses.iter().map(|&l| of(l)).collect();

            let (mut wide_losses, mut also, mut got) = (vec![f32::NAN; n], vec![f32::NAN; n], vec![H::nan(); n]);
            Wide(loss).losses_and_gradient(&x, &targets, &mut wide_losses, &mut got);
            Wide(loss).losses(&x, &targets, &mut also);
            assert_same("wide losses", &wide_x, &losses, &wide_losses);
            assert_same("wide losses", &wide_x, &losses, &also);
            assert_eq!(got, rounded_grad);
            let mut narrow = vec![H::nan(); n];
            loss.losses_and_gradient(&x, &targets, &mut narrow, &mut got);
            assert_eq!((narrow, &got), (rounded_losses, &rounded_grad));

            let sum: f64 = losses.iter().map(|&l| f64::from(l)).sum();
            let total = Wide(loss).loss_and_gradient(&x, &targets, &mut got);
            assert!((f64::from(total) - sum).abs() <= sum * f64::from(f32::EPSILON), "{n}: {total}, not {sum}");
            assert_eq!(Wide(loss).loss(&x, &targets), total);
            assert_eq!(loss.loss(&x, &targets), of(total));
            assert_eq!(loss.loss_and_gradient(&x, &targets, &mut got), of(total));
            assert_eq!(got, rounded_grad);
        }
    }
    check(f16::from_f32, f16::to_f32);
    check(bf16::from_f32, bf16::to_f32);
}

#[test]
fn wide_gives_a_sum_that_no_half_can_hold() {
    // 8,192 losses of 10 sum to 81,920, which is infinite in f16.
    let (x, targets) = (vec![f16::from_f32(10.0); 8_192], vec![f16::ZERO; 8_192]);
    let loss = BinaryCrossEntropy::new().reduction(Reduction::Sum);
    assert_eq!(loss.loss(&x, &targets), f16::INFINITY);
    let wide = Wide(loss).loss(&x, &targets);
    assert!((wide - 81_920.37).abs() < 0.02, "{wide}");
}

#[test]
fn lengths_and_rows_that_do_not_fit_panic_and_nothing_is_written() {
    let (x, grad_y) = (vec![f16::ONE; 1_500], vec![1.0_f32; 1_500]);
    let mut y = vec![crate::bad_input::mark::<f32>(); 1_500];
    refused!("wide", Wide(Gelu).forward(&x, &mut y[..3]), "1500 elements", "`y`", "has 3");
    refused!("wide", Wide(Gelu).derivative(&x[..4], &mut y[..3]), "4 elements", "`dydx`", "has 3");
    refused!("wide", Wide(Gelu).backward(&x, &grad_y[..3], &mut y), "1500 elements", "`grad_y`", "has 3");
    refused!("wide", Wide(Gelu).backward(&x, &grad_y, &mut y[..3]), "1500 elements", "`grad_x`", "has 3");
    let rows = Wide(Softmax::rows(750).unwrap());
    refused!("wide", rows.forward(&x[..5], &mut y[..5]), "5 elements", "rows of 750");
    refused!("wide", Wide(Softmax::default()).derivative(&x, &mut y), "at most 1024", "have 1500");
    refused!("wide", Wide(Softmax::default()).backward(&x, &grad_y, &mut y), "at most 1024", "have 1500");
    untouched("wide", &y);
    let loss = Wide(BinaryCrossEntropy::new());
    refused!("wide", loss.losses(&x, &x, &mut y[..3]), "1500 elements", "`losses`", "has 3");
    refused!("wide", assert!(loss.loss(&x, &x[..3]).is_nan()), "1500 elements", "`targets`", "has 3");
    untouched("wide", &y);
}
