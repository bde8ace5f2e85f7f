//! Publishes the events of Actum's entities to NATS JetStream: those of one entity in order, at least once, and once for
//! consumers as long as the stream knows what it has taken.
//!
//! # Example
//! ```no_run
//! # use actum::{Ctx, Effect, Engine, Entity, EventSourced, Handle, MemoryStore, OnFailure, Projection};
//! use actum_publish_nats::{Nats, Subject, async_nats};
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
//! // the service starts also while NATS is away
//! let options = async_nats::ConnectOptions::new().retry_on_initial_connect();
//! let client = options.connect("nats://localhost:4222").await?;
//! let jetstream = async_nats::jetstream::new(client);
//!
//! let nats = Nats::new(jetstream, "BANK", Subject::template("bank.{kind}.{id}.{type}")?);
//! let engine = Engine::builder("bank")
//!     .store(MemoryStore::new())
//!     .entity::<Account>(())
//!     .projection(
//!         Projection::publisher("to-nats", nats)
//!             .source("https://bank.example")
//!             .from::<Account>()
//!             .on_failure(OnFailure::ParkEntity),
//!     )
//!     .start()
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The stream
//! A message is published when the stream named to [`Nats::new`] has acknowledged it. The stream is the operator's to create, with
//! the subjects that are published to, and to bound; [`Nats::create_stream`] does for a start. While it is missing, takes none of
//! these subjects, or is full and refuses what is new, the projection waits, and its status says so. An acknowledgement of
//! another stream counts as none.
//!
//! # Messages
//! The payload is the event in its present schema version, encoded by its own codec; the headers are the attributes of
//! CloudEvents in binary mode: `ce-id`, `ce-source`, `ce-type`, `ce-subject` (kind and id of the entity), `ce-time`,
//! `ce-datacontenttype`, `ce-sequencenr`, `ce-schemaversion`, `ce-partition`, and where there are such `ce-traceparent`,
//! `ce-tracestate`, `ce-causationid` and `ce-correlationid`. What is not printable ASCII is percent-encoded.
//!
//! # Duplicates
//! `Nats-Msg-Id` is the source and the id of the event, `https://bank.example#7-12`: the same whenever the event is published
//! again, and another one for each source. The stream drops a message whose id it has taken within its
//! `duplicate_window`, 2 minutes unless the stream was created with another one. So:
//! * After a crash or a lost acknowledgement what comes again within the window is dropped.
//! * After an outage that was *longer than the window* the messages whose acknowledgements were lost when it began, at most
//!   [`in_flight_max`](NatsSettings::in_flight_max) of each segment, are in the stream twice. Consumers recognize them by
//!   `ce-source` and `ce-id`, or by `ce-sequencenr` within an entity.
//! * A deliberate rewind publishes again what is behind it. What was published *within the window* before is acknowledged and
//!   *dropped*: consumers do not see it again, whatever the progress says. To have all of it in the stream again, let the window
//!   pass first, or publish under another [source](actum_projection::Projection::source).
//! * Two publishers of one source into one stream drop each other's messages. The default source has the name of the projection
//!   in it, so set a source of its own for each service.
//!
//! # Order
//! At most one message of an entity is under way; messages of different entities go together. So one entity alone is published
//! at the rate of one round trip a message. A message that is rejected because it is larger than the server or the stream
//! takes, or its subject is not one, is its event's failure: by the policy of the projection it stops its segment, becomes a dead
//! letter or parks its entity.
//!
//! # Credentials
//! The client is the user's: TLS, tokens and passwords are set with `async_nats::ConnectOptions`. NKeys and credentials files
//! need the feature `nkeys` of `async-nats`, which a dependency on it of your own turns on.

mod failure;
mod nats;
mod nats_settings;
mod subject;

pub use async_nats;
pub use nats::Nats;
pub use nats_settings::NatsSettings;
pub use subject::{InvalidTemplate, Subject};
