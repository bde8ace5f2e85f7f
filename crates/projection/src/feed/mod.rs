//! What lets many readers follow a journal as cheaply as one: they wait for the same heads, and what is near the head is read
//! once for all.

mod announced;
mod bytes_room;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod feed;
mod follow_heads;
mod heads;
mod lazy_feed;
mod near_head;
mod room_to_hold;

pub(crate) use announced::Announced;
pub(crate) use bytes_room::RoomForBytes;
pub(crate) use feed::{Feed, FeedPage, FeedSettings};
pub(crate) use heads::Heads;
pub(crate) use lazy_feed::LazyFeed;
pub(crate) use room_to_hold::BytesHeld;
