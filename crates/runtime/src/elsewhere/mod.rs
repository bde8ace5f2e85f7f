//! The way out for commands whose partition is not open in this engine.

#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod elsewhere;
mod route;
mod waits;

pub use elsewhere::{Elsewhere, RoutedCommand};
pub(crate) use route::Route;
use waits::Outstanding;
pub(crate) use waits::WaitsElsewhere;
