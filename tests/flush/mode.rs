//! Sets the modes, by the bits of MXCSR.

use core::arch::asm;
use std::hint::black_box;

/// Subnormal results become zeros (FTZ), and so do subnormal operands (DAZ).
pub(crate) const FLUSH: u32 = 0x8040;

/// The directions other than the default: name and bits.
pub(crate) const ROUNDING: [(&str, u32); 3] = [("down", 0x2000), ("up", 0x4000), ("towards zero", 0x6000)];

fn get() -> u32 {
    let mut bits = 0_u32;
    // SAFETY: writes the 4 bytes that it is given.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut bits, options(nostack, preserves_flags)) };
    bits
}

fn set(bits: u32) {
    // SAFETY: reads the 4 bytes that it is given. They come from `get`, with FTZ, DAZ and the rounding changed, and the CPU has all
    // three.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const bits, options(nostack, preserves_flags)) };
}

/// The result of `f` in a mode. The mode is only for this thread, and ends with the call, also if `f` panics.
#[inline(never)]
pub(crate) fn within<Y>(mode: u32, f: impl FnOnce() -> Y) -> Y {
    struct Restore(u32);
    impl Drop for Restore {
        fn drop(&mut self) {
            set(self.0);
        }
    }
    let default = Restore(get());
    set(default.0 | mode);
    let y = black_box(black_box(f)());
    drop(default);
    y
}
