//! What lets many readers follow a journal as cheaply as one: they wait for the same heads, and what is near the head is read
//! once for all.

mod bytes_room;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod feed;
mod follow_heads;
mod heads;
mod lazy_feed;
mod near_head;

pub(crate) use feed::{Feed, FeedPage, FeedSettings};
pub(crate) use heads::Heads;
pub(crate) use lazy_feed::LazyFeed;
