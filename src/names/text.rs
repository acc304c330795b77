//! Text without an allocator, and the comparison of names.

use core::fmt;

/// The characters of a name that count.
pub(crate) fn letters(name: &str) -> impl Iterator<Item = char> + Clone + '_ {
    name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).map(|c| c.to_ascii_lowercase())
}

/// Whether two names are the same.
pub(crate) fn same(a: &str, b: &str) -> bool {
    letters(a).eq(letters(b))
}

/// The module before a name, and the name without the suffix of Hugging Face's transformers: `torch.nn` and `ReLU`, `com.microsoft`
/// and `Gelu` for `com.microsoft::Gelu`, `None` and `NewGELU` for `NewGELUActivation`.
pub(crate) fn split_module(name: &str) -> (Option<&str>, &str) {
    let split = name.rsplit_once("::").or_else(|| name.rsplit_once('.'));
    let (module, name) = split.map_or((None, name), |(module, name)| (Some(module), name));
    (module, name.trim_end_matches(' ').strip_suffix("Activation").filter(|rest| !rest.is_empty()).unwrap_or(name))
}

/// Up to N bytes of text, because there may be no allocator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    pub(crate) const EMPTY: Self = Self { bytes: [0; N], len: 0 };

    /// The text, cut if it is longer.
    pub(crate) fn of(text: &str) -> Self {
        let mut cut = Self::EMPTY;
        cut.push(text);
        cut
    }

    fn push(&mut self, text: &str) {
        let most = text.len().min(N - self.len);
        let len = (0..=most).rev().find(|&len| text.is_char_boundary(len)).unwrap_or(0);
        self.bytes[self.len..self.len + len].copy_from_slice(&text.as_bytes()[..len]);
        self.len += len;
    }

    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The beginning of a given text, for error messages.
///
/// ```
/// use activations::{AnyActivation, ParseError};
///
/// let Err(ParseError::Parentheses(given)) = "elu(1".parse::<AnyActivation>() else { unreachable!() };
/// assert_eq!(given.as_str(), "elu(1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excerpt(Text<48>);

impl Excerpt {
    pub(crate) fn of(text: &str) -> Self {
        Self(Text::of(text))
    }

    /// The text, cut at 48 bytes.
    ///
    /// ```
    /// use activations::{AnyActivation, ParseError};
    ///
    /// let Err(ParseError::Parentheses(given)) = "elu(1) + 1".parse::<AnyActivation>() else { unreachable!() };
    /// assert_eq!(given.as_str(), "elu(1) + 1");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
