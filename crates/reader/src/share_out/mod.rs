//! Who runs which segments: a pure decision, made by each process alone from what is kept, and by its own clock.

mod incarnation;
mod rest_machine;
mod rest_name;
mod seen_renewals;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod share_out;
mod watch_clock;

pub use incarnation::is_replaced;
pub use rest_machine::RestMachine;
pub use rest_name::{division_name, runner_of, switch_name};
pub use seen_renewals::SeenRenewals;
pub use share_out::{ShareOut, Shares};
pub(crate) use watch_clock::look_max;
