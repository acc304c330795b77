//! The lower tail of the standard normal distribution, for GELU.

use super::exp::{exp_bounded, unlift};
use crate::real::{Coefficients, Real};

/// R(a) = e^(a^2/2) Phi(-a) = t P(t), t = k/(a + k).
///
/// On 0 <= a <= 14.5 (`f64`: 39), relative error 2^-28.7 (`f64`: 2^-55.9). Fitted by `tools/gelu.sollya`.
const P: Coefficients = Coefficients {
    f32: &[
        0.093_854_81,
        0.094_186_04,
        0.085_517_09,
        0.096_336_41,
        -0.002_196_048_6,
        0.204_557_58,
        -0.224_188_06,
        0.270_871_88,
        -0.146_753_98,
        0.027_814_28,
    ],
    f64: &[
        0.066_490_380_057_870_6,
        0.066_490_380_587_797_16,
        0.064_643_411_238_198_28,
        0.060_949_739_308_920_36,
        0.055_560_077_823_156_03,
        0.048_810_313_208_837_75,
        0.040_954_405_878_010_84,
        0.033_477_100_392_152_535,
        0.023_155_741_221_375_755,
        0.021_931_310_159_626_79,
        0.005_449_514_882_961_068,
        0.004_118_940_218_261_103,
        0.041_804_495_731_642_33,
        -0.118_458_745_243_863_74,
        0.232_437_168_017_578_44,
        -0.327_446_631_355_119_2,
        0.339_762_329_646_932_65,
        -0.260_560_894_263_496_16,
        0.141_406_640_855_507_05,
        -0.050_669_299_903_528_25,
        0.010_704_070_283_560_307,
        -0.001_010_448_746_381_692,
    ],
};

/// S(t) = (R(a) - a/sqrt(2 pi))/(A0 - a), relative error 2^-26.1 (`f64`: 2^-56.0). Fitted by `tools/gelu.sollya`.
const S: Coefficients = Coefficients {
    f32: &[
        0.398_967_83,
        0.070_110_18,
        0.064_438_84,
        0.035_345_975,
        0.072_378_86,
        -0.023_563_866,
        0.051_101_934,
        0.002_943_970_3,
        -0.006_645_741,
    ],
    f64: &[
        0.398_942_280_373_209_9,
        0.049_986_905_826_696_355,
        0.045_168_419_739_094_06,
        0.039_746_978_092_672_88,
        0.033_944_633_204_312_055,
        0.028_113_688_713_838_38,
        0.021_892_077_749_717_114,
        0.018_980_520_764_955_704,
        0.004_400_077_935_883_594,
        0.032_746_521_705_082_46,
        -0.056_224_041_938_601_324,
        0.127_149_688_494_845_43,
        -0.200_968_851_888_642,
        0.263_351_968_138_936_6,
        -0.269_219_872_958_450_35,
        0.212_279_984_109_320_06,
        -0.125_000_506_192_068_2,
        0.051_584_117_875_590_97,
        -0.013_739_713_161_359_414,
        0.002_072_889_667_319_533,
        -0.000_129_771_120_919_490_55,
    ],
};

/// The normal tail at -a: Phi(-a) = `scale * (1 + u) * t P(t) * unlift()`.
pub(crate) struct NormalTail<R> {
    a: R,
    t: R,
    u: R,
    scale: R,
}

impl<R: Real> NormalTail<R> {
    /// The tail at -|x|, with |x| taken as no more than 14.5 (`f64`: 39), where |x| Phi(-|x|) is zero.
    #[inline(always)]
    pub(crate) fn new(x: R) -> Self {
        let a = x.abs().at_most(R::per_type(14.5, 39.0));
        // e^(-a^2/2) magnifies the relative error of its argument by up to 105 (746): it needs a^2 to the last bit.
        let (h, h_lo) = a.two_mul(a * R::of(-0.5));
        let (u, scale) = exp_bounded(h, Some(h_lo));
        let k = R::per_type(4.25, 6.0);
        Self { a, t: k / (a + k), u, scale }
    }

    /// a Phi(-a), to full relative accuracy.
    #[inline(always)]
    pub(crate) fn times_a(&self) -> R {
        self.weigh(self.a, self.t * self.t.polynomial(&P))
    }

    /// Phi(-a) - a phi(a), to full relative accuracy but within an ulp of its root.
    #[inline(always)]
    pub(crate) fn gelu_slope(&self) -> R {
        let a0 = R::of(0.751_791_524_693_564_5);
        let a0_lo = R::per_type(-1.211_444_9e-8, -1.495_675_917_700_988_3e-17);
        self.weigh((a0 - self.a) + a0_lo, self.t.polynomial(&S))
    }

    /// e^(-a^2/2) y z, the last rounding in the subnormal range if it ends there.
    #[inline(always)]
    fn weigh(&self, y: R, z: R) -> R {
        let product = (y * self.scale) * z;
        product.mul_add(self.u, product) * unlift()
    }
}
