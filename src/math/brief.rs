//! The polynomials of the lane [`Brief`](crate::kernel::lanes::Brief). They replace the longer ones of the other files.
//!
//! All are fitted by `tools/brief.sollya`.

use crate::kernel::real::{Coefficients, Real};

/// q of the exponential: relative error of e^-r 2^-39.6.
pub(super) const Q: Coefficients = Coefficients { f32: &[], f64: &Q_F64 };

const Q_F64: [f64; 7] = [
    0.500_000_000_046_208_3,
    -0.166_666_667_916_485_07,
    0.041_666_664_266_368_47,
    -0.008_333_279_724_445_801,
    0.001_388_920_959_300_574_4,
    -0.000_199_102_953_120_321_24,
    2.470_643_392_295_138_7e-5,
];

/// q(r/2)/4, exactly.
pub(super) const Q_HALF: Coefficients = {
    const HALVED: [f64; Q_F64.len()] = {
        let (mut q, mut i) = (Q_F64, 0);
        while i < q.len() {
            q[i] /= (4 << i) as f64;
            i += 1;
        }
        q
    };
    Coefficients { f32: &[], f64: &HALVED }
};

/// c of the exponential as a ratio: relative error of e^-r 2^-40.6.
pub(super) const C: [f64; 3] = [0.166_666_666_112_364_9, -0.002_777_750_299_630_568, 6.575_009_430_279_036e-5];

/// A of atanh(t) = t + t^3 A(t^2): relative error of the sum 2^-43.7.
pub(super) const A: Coefficients = Coefficients {
    f32: &[],
    f64: &[
        0.333_333_333_384_285_4,
        0.199_999_988_411_351_64,
        0.142_858_032_025_379_53,
        0.111_078_905_759_152_5,
        0.091_528_148_634_403_27,
        0.070_484_172_816_877_62,
        0.100_032_290_567_584_09,
    ],
};

/// P of the normal tail, on 0 <= a <= 14.75: relative error 2^-42.2.
pub(super) const P: Coefficients = Coefficients {
    f32: &[],
    f64: &[
        0.934_612_123_906_762,
        -1.680_674_333_010_619,
        2.202_478_969_478_209,
        -2.002_660_916_720_779,
        1.051_709_710_177_462_4,
        -0.013_002_678_260_815_65,
        -0.372_072_802_784_967_2,
        0.113_954_285_445_563_13,
        0.144_717_632_688_735_41,
        -0.062_679_747_936_227_84,
        -0.075_499_397_738_068_17,
        0.024_739_174_846_151_082,
        0.045_659_830_754_668_666,
        -0.004_986_729_833_149_626,
        -0.021_527_504_094_819_582,
    ],
};

/// S of the normal tail, like [`P`]: relative error 2^-40.9.
pub(super) const S: Coefficients = Coefficients {
    f32: &[],
    f64: &[
        0.492_309_280_506_407_54,
        -0.278_981_507_780_088_9,
        0.341_425_126_929_339,
        -0.309_053_531_511_926_4,
        0.183_860_852_864_062_42,
        -0.041_814_397_229_815_98,
        -0.031_026_944_878_091_177,
        0.022_606_622_658_578_53,
        0.006_859_132_697_340_981,
        -0.009_526_086_827_080_041,
        -0.002_939_285_168_622_337,
        0.004_179_385_697_903_251_6,
        0.001_522_784_017_567_388_6,
        -0.001_661_998_638_686_884_7,
    ],
};

/// `brief` in the lane `Brief`, else `full`.
#[inline(always)]
pub(super) const fn pick<'c, R: Real>(full: &'c Coefficients, brief: &'c Coefficients) -> &'c Coefficients {
    if R::BRIEF { brief } else { full }
}
