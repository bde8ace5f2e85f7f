//! Subscriptions: events for a part of the program that asks for them one by one.

mod consumer;
mod delivered;
mod lane_follower;
mod subscribed_source;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod subscription;
mod subscription_error;
mod subscription_service;
mod subscription_settings;
mod transient;

pub use consumer::Consumer;
pub use delivered::Delivered;
pub use subscription::Subscription;
pub use subscription_error::SubscriptionError;
pub use subscription_service::SubscriptionService;
pub use subscription_settings::SubscriptionSettings;
