//! Activations in configuration files, as models' write them.
//!
//! An activation is its name, `"gelu"`, or a map with the name under `type` and the parameters beside it,
//! `{"type": "leaky_relu", "negative_slope": 0.2}`. It is written as the name if all parameters are the defaults. Read is
//! all that parses, `"LeakyReLU(0.2)"` too, and `name` or `class_name` for `type`. Formats that are not for people to read
//! have the text of `Display`.

use core::fmt;

use serde_core::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_core::ser::{Serialize, SerializeMap, Serializer};

use crate::list::*;
use crate::names::any::AnyActivation;
use crate::names::parse::{Text, Value, build};

const TYPE: &str = "type";

impl Serialize for AnyActivation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let changed = self.changed().count();
        if changed == 0 || !serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let mut map = serializer.serialize_map(Some(1 + changed))?;
        map.serialize_entry(TYPE, self.card().name)?;
        for (name, value) in self.changed() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for AnyActivation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(OfConfiguration)
        } else {
            deserializer.deserialize_str(OfConfiguration)
        }
    }
}

struct OfConfiguration;

impl<'de> Visitor<'de> for OfConfiguration {
    type Value = AnyActivation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an activation: its name, or a map with its name under `type` and its parameters")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<AnyActivation, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<AnyActivation, M::Error> {
        // The name may come last, and there may be no allocator: arguments wait here.
        const MOST: usize = 12;
        let mut arguments = [(Text::EMPTY, Given::Flag(false)); MOST];
        let (mut name, mut count) = (None, 0);
        while let Some(Short(key)) = map.next_key()? {
            if matches!(key.as_str(), TYPE | "name" | "class_name") {
                let Short(given) = map.next_value()?;
                if name.replace(given).is_some() {
                    return Err(de::Error::duplicate_field(TYPE));
                }
            } else if count < MOST {
                arguments[count] = (key, map.next_value()?);
                count += 1;
            } else {
                return Err(de::Error::invalid_length(count + 1, &self));
            }
        }
        let name = name.ok_or_else(|| de::Error::missing_field(TYPE))?;
        let arguments = arguments[..count].iter().map(|(key, given)| (Some(key.as_str()), given.value()));
        build(name.as_str(), arguments).map_err(de::Error::custom)
    }
}

/// A value in a map.
#[derive(Clone, Copy)]
enum Given {
    Number(f64),
    Flag(bool),
    Word(Text<48>),
}

impl Given {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::Number(*number),
            Self::Flag(flag) => Value::Word(if *flag { "true" } else { "false" }),
            Self::Word(word) => Value::of(word.as_str()),
        }
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfGiven)
    }
}

struct OfGiven;

impl Visitor<'_> for OfGiven {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, number: f64) -> Result<Given, E> {
        Ok(Given::Number(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Given, E> {
        Ok(Given::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Given, E> {
        Ok(Given::Number(number as f64))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Given, E> {
        Ok(Given::Flag(flag))
    }

    fn visit_str<E>(self, word: &str) -> Result<Given, E> {
        Ok(Given::Word(Text::of(word)))
    }
}

/// A text, cut where no name is as long.
struct Short(Text<48>);

impl<'de> Deserialize<'de> for Short {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(OfShort)
    }
}

struct OfShort;

impl Visitor<'_> for OfShort {
    type Value = Short;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, text: &str) -> Result<Short, E> {
        Ok(Short(Text::of(text)))
    }
}

macro_rules! as_any {
    ($($folder:ident::$file:ident: $($name:ident),+;)+) => {$($(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                AnyActivation::from(*self).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match AnyActivation::deserialize(deserializer)? {
                    AnyActivation::$name(activation) => Ok(activation),
                    other => {
                        let expected = AnyActivation::from(Self::default()).card().name;
                        Err(de::Error::custom(format_args!("expected {expected}, got {other}")))
                    }
                }
            }
        }
    )+)+};
}
for_each_activation!(as_any);
