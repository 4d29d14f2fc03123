//! Words for people: how numbers, decisions and events read, and how text is laid out. The command line and the pages
//! say the same thing in the same words, and neither takes them from the other.

mod decisions;
mod intake;
mod layout;
mod names;
mod numbers;
mod schedules;
mod unbound;

pub(crate) use decisions::{describe as describe_decision, sentence, value};
pub(crate) use intake::{describe_import, describe_stored, notices, without_activity};
pub(crate) use layout::{fit, table};
pub(crate) use names::Names;
pub(crate) use numbers::{amount, counted, units};
pub(crate) use schedules::describe_first_window;
pub(crate) use unbound::{When, bind_remedy, describe_unbound, unbound_others, unbound_sentence};
