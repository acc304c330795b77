//! The guide: how to choose a function, call it, train with it, and write your own.
//!
//! | page | subject |
//! |---|---|
//! | [`choosing`] | which activation to take, and what can go wrong |
//! | [`your_own`] | how to write an activation |
//! | [`training`] | gradients, gates, biases, losses |
//! | [`rows`] | softmax over rows, axes, masks and pieces |
//! | [`accuracy`] | what a bound in ULP means; half precision |
//! | [`speed`] | levels, threads, and how to call |
//! | [`embedded`] | use without the standard library |
//! | [`coming_from`] | names in PyTorch, JAX, NNlib.jl, candle and burn |
//!
//! `docs/your_function.md` is one page from `cargo new` to a plot of the error of your own formula.
//!
//! The crate's [front page](crate#reproducibility) says when results have the same bits.

macro_rules! pages {
    ($($page:ident)*) => {$(
        #[doc = include_str!(concat!("../docs/guide/", stringify!($page), ".md"))]
        // Without this, tables with long names are wider than the screen.
        #[doc = "\n<style>.docblock table { overflow-wrap: anywhere; font-size: 0.9em; }</style>"]
        #[cfg_attr(not(feature = "rayon"), allow(rustdoc::broken_intra_doc_links, reason = "one is of that feature"))]
        pub mod $page {}
    )*};
}
pages!(choosing your_own training rows accuracy speed embedded coming_from);
