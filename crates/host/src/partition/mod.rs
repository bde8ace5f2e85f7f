//! A partition: the cells of its entities, kind by kind, and the turns they take together.

mod cap_keeper;
mod cells;
mod due_times;
mod found;
mod handler_run;
mod handling;
mod hosted_kind;
mod hosted_model;
mod inbox;
mod intake;
mod kind_host;
mod leaving;
mod partition_host;
mod shell;
mod shipping;
mod sweeping;
mod taken;
mod turn_context;

pub use cap_keeper::{CapKeeper, CapMember};
pub use found::Found;
pub use hosted_kind::HostedKind;
pub use hosted_model::HostedModel;
pub use inbox::{Delivery, Inbox, NotTaken, Refuses, SlowRun};
pub use kind_host::KindHost;
pub use partition_host::{Mail, PartitionHost, SWEEP_INTERVAL_MIN, Turned};
pub use shell::{Cap, NextToLeave, Shell};
pub use taken::WAITS_SLACK;
pub use turn_context::TurnContext;
