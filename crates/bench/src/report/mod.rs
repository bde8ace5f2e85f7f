//! The table, and the same as JSON.

mod heading;
mod json;
mod table;

pub(crate) use heading::heading;
pub(crate) use json::json;
pub(crate) use table::table;
