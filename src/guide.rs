//! The guide: how to choose, call, train with and extend what the crate has.
//!
//! | page | what it answers |
//! |---|---|
//! | [`choosing`] | which activation when, and what goes wrong |
//! | [`your_own`] | how to write an activation |
//! | [`training`] | gradients, gates, biases, losses |
//! | [`rows`] | softmax over rows, axes, masks and pieces |
//! | [`accuracy`] | what a bound in ULP means; half precision |
//! | [`speed`] | levels, threads, and how to call |
//! | [`embedded`] | without the standard library |
//! | [`coming_from`] | names in PyTorch, JAX, NNlib.jl, candle and burn |
//!
//! `docs/your_function.md` is one page from `cargo new` to a plot of the error of your own formula.
//!
//! These pages are text. The crate's [front page](crate#reproducibility) says what is promised about bits.

macro_rules! pages {
    ($($page:ident)*) => {$(
        #[doc = include_str!(concat!("../docs/guide/", stringify!($page), ".md"))]
        // Wide tables break long names, where they would otherwise leave the screen.
        #[doc = "\n<style>.docblock table { overflow-wrap: anywhere; font-size: 0.9em; }</style>"]
        pub mod $page {}
    )*};
}
pages!(choosing your_own training rows accuracy speed embedded coming_from);
