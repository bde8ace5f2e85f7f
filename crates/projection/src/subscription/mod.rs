//! Subscriptions: events for a part of the program that asks for them one by one.

mod ack_error;
mod consumer;
mod consumer_group;
mod delivered;
mod group_place;
mod group_work;
mod holding;
mod lane_follower;
mod member;
mod subscribed_source;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod subscription;
mod subscription_error;
mod subscription_ref;
mod subscription_service;
mod subscription_settings;
mod subscription_status;
mod transient;

pub use ack_error::AckError;
pub use actum_reader::subscription::{LastResort, Nack};
pub use consumer::Consumer;
pub use delivered::Delivered;
pub use subscription::Subscription;
pub use subscription_error::SubscriptionError;
pub use subscription_ref::SubscriptionRef;
pub use subscription_service::SubscriptionService;
pub use subscription_settings::SubscriptionSettings;
pub use subscription_status::SubscriptionStatus;
