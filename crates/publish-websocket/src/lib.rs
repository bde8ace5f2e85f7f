//! Events of Actum's entities for browsers and other clients over WebSocket: an [axum] route over an engine, through which each
//! client gets the events it asks for, live and in order, and goes on where it stopped.
//!
//! # Example
//! ```no_run
//! # use actum::{Ctx, Effect, Engine, Entity, EventSourced, Handle, MemoryStore};
//! use actum_publish_websocket::LiveEvents;
//! # struct Account;
//! # impl Entity for Account {
//! #     const KIND: &'static str = "account";
//! #     type Id = String;
//! #     type Env = ();
//! #     type Event = u64;
//! #     type Commands = (u64,);
//! #     fn initial(_: &String) -> Self { Account }
//! # }
//! # impl EventSourced for Account {
//! #     fn apply(&mut self, _: &u64) {}
//! # }
//! # impl Handle<u64> for Account {
//! #     type Reply = ();
//! #     type Rejection = std::convert::Infallible;
//! #     fn handle(&self, amount: u64, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Self::Rejection> {
//! #         Ok(Effect::persist(amount).reply(()))
//! #     }
//! # }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let engine =
//!     Engine::builder("bank").store(MemoryStore::new()).entity::<Account>(()).start().await?;
//! let live = LiveEvents::new(&engine).source("https://bank.example").from::<Account>();
//! let clients = live.clients();
//! let app: axum::Router = axum::Router::new().route("/events", live.route()?);
//! // … serve it; at the end:
//! engine.shutdown().await;
//! clients.closed().await; // all of them know why, and when to come back
//! # Ok(())
//! # }
//! ```
//!
//! # What a client asks for
//! `GET /events` with these parameters, none of which is needed:
//! * `after`: the offset behind which it begins, as the last frame it got said, or `beginning`. Otherwise it begins now.
//! * `kinds`: kinds of entities, with commas between them; otherwise all that the route was given.
//! * `entity`: one entity, its kind and id as in `account/acc-1`.
//!
//! A request that is not valid is answered with 400 and why; one beyond [`clients_max`](LiveSettings::clients_max), or while the
//! store is away, with 503 and `Retry-After`. A page of [another origin](Origins) is refused with 403 unless that is allowed, since a browser opens a
//! WebSocket from any page. What else is in the query is left to others: who may read what is up to the layers of axum around the
//! route.
//!
//! # What it gets
//! Text frames, each a JSON object with one of these members:
//! * `{"hello": {"offset", "head", "age_ms", "heartbeat_ms", "silence_ms", "retry_ms"}}` comes first: where it begins, where the
//!   journal ends, and how long ago the first event happened that it has not got (0 if it has all of them). `head` and `age_ms`
//!   are null where they are not known, since the store is away: what it asked for comes once the store is back.
//! * `{"event": {…}, "offset": "1042"}`: an event in the JSON format of CloudEvents, with `data` if its codec is JSON and
//!   `data_base64` otherwise. With that offset another connection goes on behind it.
//! * `{"heartbeat": {"offset", "age_ms"}}` every `heartbeat_ms`: it has everything that was read up to this offset, also where
//!   no event came since nothing fitted the filter. What it shows is at most `age_ms` old: 0 while nothing is known to be left to
//!   send, else the age of the last event it got, and null if it got none.
//! * `{"unreadable": "why"}`: an event that this program cannot decode, for example of a later version during a deploy. What
//!   follows goes on behind it.
//!
//! Offsets are opaque; with several lanes they are several numbers. They are positions and nothing else: where a journal was
//! replaced by another one while a client was away, for example by an older backup, and has grown past its offset since, that is
//! not noticed, and what the client shows is of both.
//!
//! # When a connection is over
//! A client that hears nothing for `silence_ms` has lost its connection, whatever its socket says: it closes it and connects again
//! with its last offset, after `retry_ms`, which differs from client to client so that not all come back at once after a
//! deploy; then after twice as long each time. The server sends pings, which browsers answer by themselves, and closes where it
//! hears nothing for as long. It says why it closes:
//! * [`CLOSE_SHUTDOWN`] (1001): the engine shuts down; the reason ends with when to come back.
//! * [`CLOSE_SLOW`] (4001): the client did not take a frame within [`send_timeout`](LiveSettings::send_timeout).
//! * [`CLOSE_SILENT`] (4002): nothing was heard of it.
//! * [`CLOSE_STOPPED`] (1011): the journal is not the one that was read, ends in front of the offset, or is damaged: the offset is
//!   of no use any more, and the client begins again. A store that is away, or a shutdown, is never a reason for this code.
//!
//! # Memory
//! Events are read when a client takes them. It holds at most [`buffer_bytes`](LiveSettings::buffer_bytes) of events twice, one at
//! least, and one frame; clients are bounded by [`clients_max`](LiveSettings::clients_max). What all of them hold is part of what the
//! subscriptions of the engine may have in memory, half of its `projection_bytes_max`; where that is full nothing is read ahead.

mod client;
mod closing;
mod frames;
mod live_clients;
mod live_events;
mod live_settings;
mod origins;
mod served_kind;
mod wanted;

pub use closing::{CLOSE_SHUTDOWN, CLOSE_SILENT, CLOSE_SLOW, CLOSE_STOPPED};
pub use live_clients::LiveClients;
pub use live_events::LiveEvents;
pub use live_settings::{InvalidLiveEvents, LiveSettings};
pub use origins::Origins;
