//! Activations in the configuration files of models.
//!
//! An activation is its name, `"gelu"`, or a map with the name under `type` and the parameters beside it,
//! `{"type": "leaky_relu", "negative_slope": 0.2}`. It is written as the name if all parameters are the defaults. Reading accepts
//! every text that parses, also `"LeakyReLU(0.2)"`, and `name` instead of `type`. In binary formats it is the text of `Display`.
//!
//! The maps that Keras writes for a layer are read too, with Keras's defaults:
//! `{"class_name": "LeakyReLU", "config": {"negative_slope": 0.2}}`, or
//! `{"class_name": "Activation", "config": {"activation": "gelu"}}`.

use core::fmt;

use serde_core::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_core::ser::{Serialize, SerializeMap, Serializer};

use crate::list::for_each_activation;
use crate::listed::*;
use crate::names::any::AnyActivation;
use crate::names::dialect::{Origin, Value};
use crate::names::parse::{build, parse};
use crate::names::text::{Text, same};

const TYPE: &str = "type";
const ACTIVATION: &str = "activation";

/// Keys that Keras writes and that do not change the function.
const MEANINGLESS: &[&str] = &[
    "name",
    "trainable",
    "dtype",
    "module",
    "registered_name",
    "build_config",
    "batch_shape",
    "batch_input_shape",
    "inbound_nodes",
];

impl Serialize for AnyActivation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let changed = self.changed().count();
        if changed == 0 || !serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let mut map = serializer.serialize_map(Some(1 + changed))?;
        map.serialize_entry(TYPE, self.name())?;
        for (name, value) in self.changed() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for AnyActivation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        OfConfiguration(Origin::Any).deserialize(deserializer)
    }
}

/// A configuration whose names come from this framework.
struct OfConfiguration(Origin);

impl<'de> DeserializeSeed<'de> for OfConfiguration {
    type Value = AnyActivation;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<AnyActivation, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(self)
        } else {
            deserializer.deserialize_str(self)
        }
    }
}

impl<'de> Visitor<'de> for OfConfiguration {
    type Value = AnyActivation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an activation: its name, or a map with its name under `type` and its parameters")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<AnyActivation, E> {
        parse(text, self.0).map_err(E::custom)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<AnyActivation, M::Error> {
        let mut entries = Entries::default();
        entries.read(map, false)?;
        entries.activation()
    }
}

/// No map of an activation has this many arguments.
const MOST: usize = 12;

/// The entries of the maps. The name may come last, and there may be no allocator, so arguments wait here.
struct Entries {
    /// The value of `type`.
    kind: Option<Short>,
    name: Option<Short>,
    class: Option<Short>,
    /// A `config` that is a text: the function's name.
    function: Option<Short>,
    /// The value of `activation`.
    inner: Option<AnyActivation>,
    arguments: [(Text<48>, Given); MOST],
    count: usize,
}

impl Default for Entries {
    fn default() -> Self {
        let (kind, name, class, function, inner) = (None, None, None, None, None);
        Self { kind, name, class, function, inner, arguments: [(Text::EMPTY, Given::Flag(false)); MOST], count: 0 }
    }
}

impl Entries {
    /// Reads all entries of a map. `inside` says that it is the `config` of another map, where `name` is the layer's name.
    fn read<'de, M: MapAccess<'de>>(&mut self, mut map: M, inside: bool) -> Result<(), M::Error> {
        fn set<T, E: de::Error>(slot: &mut Option<T>, value: T, field: &'static str) -> Result<(), E> {
            slot.replace(value).map_or(Ok(()), |_| Err(E::duplicate_field(field)))
        }
        while let Some(Short(key)) = map.next_key()? {
            match key.as_str() {
                TYPE if !inside => set(&mut self.kind, map.next_value()?, TYPE)?,
                "name" if !inside => set(&mut self.name, map.next_value()?, "name")?,
                "class_name" if !inside => set(&mut self.class, map.next_value()?, "class_name")?,
                "config" if !inside => map.next_value_seed(OfConfig(self))?,
                ACTIVATION => {
                    set(&mut self.inner, map.next_value_seed(OfConfiguration(Origin::KerasFunction))?, ACTIVATION)?
                }
                key if MEANINGLESS.contains(&key) => drop(map.next_value::<IgnoredAny>()?),
                _ => {
                    let Some(place) = self.arguments.get_mut(self.count) else {
                        return Err(de::Error::invalid_length(self.count + 1, &"at most 12 parameters"));
                    };
                    *place = (key, map.next_value()?);
                    self.count += 1;
                }
            }
        }
        Ok(())
    }

    /// The activation that the entries name.
    fn activation<E: de::Error>(&self) -> Result<AnyActivation, E> {
        let (name, origin) = match (&self.kind, &self.class, &self.name) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => return Err(E::duplicate_field(TYPE)),
            (_, Some(class), _) if same(class.0.as_str(), "function") => {
                let function = self.function.as_ref().ok_or_else(|| E::missing_field("config"))?;
                (function, Origin::KerasFunction)
            }
            (_, Some(class), _) => (class, Origin::KerasLayer),
            (Some(name), ..) | (.., Some(name)) => (name, Origin::Any),
            (None, None, None) => return Err(E::missing_field(TYPE)),
        };
        if self.function.is_some() && !self.class.as_ref().is_some_and(|class| same(class.0.as_str(), "function")) {
            return Err(E::custom("`config` is a map of parameters, or of the class `function` its name"));
        }
        let (name, arguments) = (name.0.as_str(), &self.arguments[..self.count]);
        if same(name, ACTIVATION) {
            let inner = self.inner.ok_or_else(|| E::missing_field(ACTIVATION))?;
            return match arguments {
                [] => Ok(inner),
                [(key, _), ..] => {
                    Err(E::custom(format_args!("{name}: unknown parameter `{}`; it has `activation`", key.as_str())))
                }
            };
        }
        // A layer that has an activation among other things is not an activation.
        let inner = self.inner.map(|_| (Some(ACTIVATION), Value::Word("")));
        let arguments = arguments.iter().map(|(key, given)| (Some(key.as_str()), given.value()));
        build(name, origin, arguments.chain(inner)).map_err(E::custom)
    }
}

/// The value of `config`: a map, or the name of a function.
struct OfConfig<'a>(&'a mut Entries);

impl<'de> DeserializeSeed<'de> for OfConfig<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfConfig<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of parameters, or the name of a function")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<(), E> {
        match self.0.function.replace(Short(Text::of(name))) {
            None => Ok(()),
            Some(_) => Err(E::duplicate_field("config")),
        }
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<(), M::Error> {
        self.0.read(map, true)
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

impl<'de> Visitor<'de> for OfGiven {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_unit<E>(self) -> Result<Given, E> {
        Ok(Given::Word(Text::of("null")))
    }

    /// No parameter is a map or a list. Such a value is refused later, with the name of its key.
    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Given, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Given::Word(Text::of("{..}")))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Given, S::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Given::Word(Text::of("[..]")))
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

/// A text, cut at a length that no name has.
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
                        let expected = AnyActivation::from(Self::default()).name();
                        Err(de::Error::custom(format_args!("expected {expected}, got {other}")))
                    }
                }
            }
        }
    )+)+};
}
for_each_activation!(as_any);
