//! What a durable subscription knows and decides while a process holds it: which consumer gets which event, what an
//! acknowledgement means, and how far everything is settled. Pure: no task, no clock.

mod affinity_key;
mod consumer_seat;
mod handing_out;
mod key_queue;
mod lane_window;
#[cfg(test)]
mod machine_tests;
mod nacking;
mod not_acked;
mod settling;
mod subscription_machine;
mod subscription_rules;
mod timing_out;
mod unkept;
mod unsettled;

pub use affinity_key::AffinityKey;
pub use consumer_seat::ConsumerNr;
pub use nacking::{Nack, NackedWith};
pub use not_acked::NotAcked;
pub use subscription_machine::{Handout, SubscriptionMachine};
pub use subscription_rules::{LastResort, SubscriptionRules};
