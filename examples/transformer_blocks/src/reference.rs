//! `Reference`: PyTorch's results, from data/reference.csv.

use std::collections::HashMap;

use half::bf16;

use crate::blocks::Block;
use crate::number::Number;

/// Numbers by block, type and part.
#[derive(Debug)]
pub struct Reference {
    /// The versions of PyTorch and transformers.
    pub versions: String,
    parts: HashMap<[String; 3], Vec<f64>>,
}

impl Reference {
    /// The file in the package.
    pub fn committed() -> Self {
        Self::parsed(include_str!("../data/reference.csv"))
            .unwrap_or_else(|error| panic!("data/reference.csv: {error}"))
    }

    /// # Errors
    /// The first part of a line that is not a reference value.
    pub fn parsed(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        let versions =
            lines.next().and_then(|line| line.strip_prefix("versions,")).ok_or("no versions")?.replace(',', ", ");
        let mut parts = HashMap::new();
        for line in lines {
            let mut fields = line.split(',');
            let mut name =
                || fields.next().map(str::to_owned).ok_or_else(|| format!("a line of too few fields: {line:?}"));
            let key = [name()?, name()?, name()?];
            let numbers = fields.map(|bits| {
                let read = |bits: u32| match (key[1].as_str(), key[2].as_str()) {
                    ("f32", _) | (_, "loss") => Some(f64::from(f32::from_bits(bits))),
                    ("bf16", _) => Some(f64::from(<bf16 as Number>::from_bits(bits)?.wide())),
                    _ => None,
                };
                let number = u32::from_str_radix(bits, 16).ok().and_then(read).filter(|number| number.is_finite());
                number.ok_or_else(|| format!("{key:?} has {bits:?}, which is no finite number of the type"))
            });
            let numbers = numbers.collect::<Result<_, _>>()?;
            if parts.insert(key.clone(), numbers).is_some() {
                return Err(format!("{key:?} twice"));
            }
        }
        Ok(Self { versions, parts })
    }

    /// A part of a block in `T`. Panics if there is none.
    pub fn part<T: Number>(&self, block: Block, part: &str) -> &[f64] {
        let key = [block.name(), T::NAME, part].map(str::to_owned);
        self.parts.get(&key).unwrap_or_else(|| panic!("no reference values for {key:?}"))
    }
}
