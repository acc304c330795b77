//! The lower tail of the standard normal distribution, for GELU.

use super::Lifted;
use super::exp::{exp_neg_half, unlift};
use crate::real::{Coefficients, Real};

/// P(v - c) = (a + k) e^(a^2/2) Phi(-a), v = a/(a + k).
///
/// On 0 <= a <= 14.75 (`f64`: 39), relative error 2^-25.7 (`f64`: 2^-53.7). Fitted by `tools/gelu.sollya`.
const P: Coefficients = Coefficients {
    f32: &[
        1.25,
        -1.243_392_3,
        0.169_610_35,
        0.291_838_8,
        5.615_896e-2,
        -0.150_042_73,
        0.138_408_17,
        -0.313_685_24,
        0.279_871_5,
        -7.982_698e-2,
    ],
    f64: &[
        0.777_351_771_893_362_2,
        -1.402_018_059_181_731,
        2.275_875_567_259_110_4,
        -3.311_228_686_204_736_4,
        4.287_587_933_469_876,
        -4.885_767_426_061_474_5,
        4.811_002_602_598_093,
        -3.966_120_385_179_205,
        2.567_634_091_325_042_6,
        -1.091_381_857_659_054,
        0.033_658_753_138_894_4,
        0.371_425_857_952_145_83,
        -0.265_222_493_473_068_9,
        0.008_815_979_680_519_262,
        0.111_341_736_109_245_94,
        -0.059_021_339_617_481_42,
        -0.028_150_835_783_519_616,
        0.040_978_396_597_191_1,
        0.002_365_565_340_373_431_3,
        -0.023_584_515_511_416_233,
        -0.000_123_577_954_808_636_74,
        0.011_452_304_573_483_925,
        0.004_007_569_223_940_030_5,
    ],
};

/// S(v - c) = (e^(a^2/2) Phi(-a) - a/sqrt(2 pi))/(a0 - a), relative error 2^-25.2 (`f64`: 2^-55.3). Fitted by
/// `tools/gelu.sollya`.
const S: Coefficients = Coefficients {
    f32: &[
        0.665_078,
        -0.441_631_05,
        0.168_050_47,
        0.042_720_012,
        -0.026_697_105,
        6.762_835_5e-4,
        -0.035_094_336,
        0.035_282_09,
        -0.009_437_242,
    ],
    f64: &[
        0.443_746_543_042_608_35,
        -0.157_941_293_752_775_27,
        0.231_823_959_587_900_06,
        -0.310_306_618_496_221_5,
        0.375_477_484_166_960_53,
        -0.405_891_885_188_534_64,
        0.385_330_115_406_735_73,
        -0.312_596_291_393_030_3,
        0.206_068_949_529_625_9,
        -0.097_900_559_917_682_83,
        0.018_964_857_282_142_603,
        0.016_761_576_707_352_59,
        -0.017_463_272_269_905_704,
        0.004_356_109_608_588_158,
        0.004_429_211_658_418_739,
        -0.003_942_520_599_190_673,
        -0.000_228_242_405_968_075_35,
        0.001_881_877_970_715_594_8,
        -0.000_485_867_365_565_754_7,
        -0.000_794_313_420_558_731,
        0.000_321_830_720_308_817_75,
        0.000_325_153_407_315_601_67,
    ],
};

/// The normal tail at -a and its parts: a Phi(-a) = `scale * (1 + r w) * v P(v - c) * unlift()`.
pub(crate) struct NormalTail<R> {
    a: R,
    v: R,
    r: R,
    w: R,
    scale: R,
}

impl<R: Real> NormalTail<R> {
    /// The tail at -|x|, with |x| taken as no more than 14.75 (`f64`: 39), where |x| Phi(-|x|) is zero.
    #[inline(always)]
    pub(crate) fn new(x: R) -> Self {
        let a = x.abs().at_most(R::per_type(14.75, 39.0));
        // e^(-a^2/2) magnifies the relative error of its argument by up to 109 (760): it needs a^2 to the last bit.
        let (s, s_lo) = a.two_mul(a);
        let (r, w, scale) = exp_neg_half(s, s_lo);
        let k = R::per_type(2.5, 6.0);
        Self { a, v: a / (a + k), r, w, scale }
    }

    /// a Phi(-a), to full relative accuracy.
    #[inline(always)]
    pub(crate) fn times_a(&self) -> Lifted<R> {
        // The product with its error: 0.4 ULP for two operations.
        let (product, product_lo) = (self.v * self.scale).two_mul(self.centred().polynomial(&P));
        Lifted { value: product + (product * self.r).mul_add(self.w, product_lo), unlift: unlift() }
    }

    /// Phi(-a) - a phi(a), to full relative accuracy but within an ulp of its root.
    #[inline(always)]
    pub(crate) fn gelu_slope(&self) -> Lifted<R> {
        let a0 = R::of(0.751_791_524_693_564_5);
        let a0_lo = R::per_type(-1.211_444_9e-8, -1.495_675_917_700_988_3e-17);
        let product = (((a0 - self.a) + a0_lo) * self.scale) * self.centred().polynomial(&S);
        Lifted { value: (product * self.r).mul_add(self.w, product), unlift: unlift() }
    }

    #[inline(always)]
    fn centred(&self) -> R {
        self.v - R::per_type(0.0, 0.5)
    }
}
