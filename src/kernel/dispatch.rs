//! `dispatch`: runs a loop at a CPU level, in the kind of lane that the level has.

use super::element::{Float, Lane};
use super::level::{Level, OLD};

/// A loop, generic over the lane that it runs in. Its `run` is `#[inline(always)]`, so that it is compiled separately for each level,
/// with that level's instructions.
pub(crate) trait Task<T: Float>: Sized {
    type Output;

    /// A type of the module with which the loop is compiled: see [`Home`].
    type Home;

    /// Whether there is a loop for [old](Level::is_old) levels.
    const OLD: bool = true;

    fn run<R: Lane<T>>(self) -> Self::Output;

    /// What [`dispatch`] calls.
    #[inline(always)]
    fn at(self, level: Level) -> Self::Output {
        run_at(level, self)
    }
}

/// Decides where loops are compiled. rustc compiles modules in parallel, and a method with the module of the type that it is called
/// on. If `dispatch` did the work itself, all loops would belong to one module, and one core would compile them.
trait Home {
    /// Not inlined, because each caller would compile the loops of all levels again.
    #[inline(never)]
    fn dispatch<T: Float, K: Task<T>>(level: Level, task: K) -> K::Output {
        if level.portable {
            return Self::plain_or_none(task);
        }
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            use fearless_simd::Simd;
            if let Some(avx512) = level.simd.as_avx512() {
                return avx512.vectorize(
                    #[inline(always)]
                    || task.run::<T::Fused>(),
                );
            }
            if let Some(avx2) = level.simd.as_avx2() {
                return avx2.vectorize(
                    #[inline(always)]
                    || task.run::<T::Fused>(),
                );
            }
        }
        // The target always has these instructions, so they need no function of their own.
        #[cfg(target_arch = "aarch64")]
        if level.simd.as_neon().is_some() {
            return task.run::<T::Fused>();
        }
        let _ = level;
        Self::plain_or_none(task)
    }

    /// `const`, so that a loop that is never needed is not compiled.
    #[inline(always)]
    fn plain_or_none<T: Float, K: Task<T>>(task: K) -> K::Output {
        if const { K::OLD || !OLD } { Self::plain(task) } else { unreachable!("old levels have no such loop") }
    }

    /// Not inlined, because `dispatch` would save the registers of these loops even before it jumps to other loops.
    #[inline(never)]
    fn plain<T: Float, K: Task<T>>(task: K) -> K::Output {
        task.run::<T::Plain>()
    }
}

impl<H> Home for H {}

/// Runs the task at the level, in the kind of lane that the level has.
#[inline(always)]
pub(crate) fn dispatch<T: Float, K: Task<T>>(level: Level, task: K) -> K::Output {
    task.at(level)
}

/// The same, without what the task does [at](Task::at) all levels.
#[inline(always)]
pub(crate) fn run_at<T: Float, K: Task<T>>(level: Level, task: K) -> K::Output {
    K::Home::dispatch(level, task)
}
