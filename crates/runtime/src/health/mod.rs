//! How an engine is, for probes and operators.

mod facts;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod health;
mod record;

pub(crate) use facts::Facts;
pub use health::{Failing, Health, HealthState, LeaseHealth, PartitionHealth, StoreHealth};
pub(crate) use record::HealthRecord;
