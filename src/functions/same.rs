//! Functions that are another one with certain parameters.

/// Makes a function another one with certain parameters, so that both share the loops:
/// `elementwise_of!(Relu6: HardTanh |_f| HardTanh::RELU6)`.
macro_rules! elementwise_of {
    ($name:ident: $form_type:ty |$f:ident| $form:expr) => {
        impl $crate::activation::Elementwise for $name {
            const ABREAST: usize = <$form_type as $crate::activation::Elementwise>::ABREAST;

            #[inline(always)]
            fn value<R: $crate::kernel::real::Real>(&self, x: R) -> R {
                let $f = self;
                $form.value(x)
            }

            #[inline(always)]
            fn slope<R: $crate::kernel::real::Real>(&self, x: R) -> R {
                let $f = self;
                $form.slope(x)
            }

            #[inline]
            fn run_f32(&self, level: $crate::kernel::level::Level, pass: $crate::pass::Pass<'_, f32>) {
                let $f = self;
                $form.run_f32(level, pass);
            }

            #[inline]
            fn run_f64(&self, level: $crate::kernel::level::Level, pass: $crate::pass::Pass<'_, f64>) {
                let $f = self;
                $form.run_f64(level, pass);
            }
        }
    };
}
pub(super) use elementwise_of;
