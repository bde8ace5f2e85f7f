//! A partition: the cells of its entities, kind by kind, and the turns they take together.

mod cap_keeper;
mod cells;
mod found;
mod handler_run;
mod handling;
mod hosted;
mod inbox;
mod kind_host;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod partition;
mod shell;
mod taken;

pub use cap_keeper::{CapKeeper, CapMember};
pub use found::{Found, Hosted};
pub use hosted::{HostedKind, TurnContext};
pub use inbox::{Delivery, Inbox, NotTaken, Refuses, SlowRun};
pub use kind_host::KindHost;
pub use partition::{Mail, Partition, SWEEP_INTERVAL_MIN, Turned};
pub use shell::{Cap, NextToLeave, Shell};
pub use taken::WAITS_SLACK;
