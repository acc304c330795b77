//! The functions that JavaScript calls. Text and numbers go through buffers in the memory of the WebAssembly module. A function leaves
//! its results there and returns their length. JavaScript then asks for the address, because a call may move the buffers.

// Rust calls the attribute `no_mangle` unsafe, because two functions could have one name. No code here is unsafe.
#![cfg_attr(target_family = "wasm", allow(unsafe_code, reason = "the attribute `no_mangle`"))]

use std::cell::RefCell;

use crate::evaluate::Curve;
use crate::page::Page;

thread_local! {
    static PAGE: RefCell<Page> = const { RefCell::new(Page::new()) };
}

fn with<R>(use_page: impl FnOnce(&mut Page) -> R) -> R {
    PAGE.with_borrow_mut(use_page)
}

/// Exports each of them from WebAssembly, so that JavaScript can call it.
macro_rules! export {
    ($($(#[doc = $doc:literal])+ fn $name:ident($($argument:ident: $type:ty),*) -> $output:ty $body:block)+) => {$(
        $(#[doc = $doc])+
        #[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
        pub extern "C" fn $name($($argument: $type),*) -> $output $body
    )+};
}

export! {
    /// The address of the text's `len` bytes, which JavaScript may write.
    fn text_of(len: usize) -> *mut u8 {
        with(|page| {
            page.text.resize(len, 0);
            page.text.as_mut_ptr()
        })
    }

    /// The address of the numbers.
    fn numbers() -> *const f32 {
        with(|page| page.numbers.as_ptr())
    }

    /// See [`Page::describe`]. Returns the length of the text.
    fn describe() -> usize {
        with(|page| {
            page.describe();
            page.text.len()
        })
    }

    /// See [`Page::choose`]. Returns the length of the error's text, or 0.
    fn choose() -> usize {
        with(|page| {
            page.choose();
            page.text.len()
        })
    }

    /// See [`Page::curve`], with 0 for values, 1 for derivatives, 2 for gradients. Returns how many numbers there are.
    fn curve(which: u32, from: f64, to: f64, count: u16, gradient: f32) -> usize {
        let curve = match which {
            0 => Curve::Value,
            1 => Curve::Derivative,
            _ => Curve::Gradient(gradient),
        };
        with(|page| {
            page.curve(curve, from, to, count);
            page.numbers.len()
        })
    }

    /// See [`Page::errors`]. Returns how many numbers there are.
    fn errors(slope: u32, from: f64, to: f64, columns: u16) -> usize {
        with(|page| {
            page.errors(slope != 0, from, to, columns);
            page.numbers.len()
        })
    }

    /// See [`Page::at`]. Returns the length of the text.
    fn at(slope: u32, x: f32) -> usize {
        with(|page| {
            page.at(slope != 0, x);
            page.text.len()
        })
    }

    /// See [`Page::digest`].
    fn digest(slope: u32) -> u64 {
        with(|page| page.digest(slope != 0))
    }
}
