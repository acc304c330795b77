//! The types of the list.

use crate::list::for_each_activation;

macro_rules! export {
    ($($folder:ident::$file:ident: $($name:ident),+;)+) => {
        $(pub use crate::$folder::$file::{$($name),+};)+
    };
}
for_each_activation!(export);
