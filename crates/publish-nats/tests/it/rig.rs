//! An engine in memory whose notes are published to a private server.

use actum::{
    Ctx, Effect, Engine, Entity, EventSourced, Handle, Json, MemoryStore, OnFailure, Projection,
    ProjectionRef, Publishing, settings::ProjectionSettings,
};
use actum_publish_nats::{
    Nats, NatsSettings, Subject,
    async_nats::{
        self,
        jetstream::{self, consumer, stream},
    },
};
use actum_test_servers::{NatsServer, NatsServerSettings, available};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, time::Duration};

/// What is noted down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Noted(pub(crate) String);

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Note(pub(crate) String);

actum::payload!(Json: Noted = "note.noted", Note = "note.note");

pub(crate) struct Notes;

impl Entity for Notes {
    const KIND: &'static str = "notes";
    type Id = String;
    type Env = ();
    type Event = Noted;
    type Commands = (Note,);
    fn initial(_: &String) -> Self {
        Self
    }
}

impl EventSourced for Notes {
    fn apply(&mut self, _: &Noted) {}
}

impl Handle<Note> for Notes {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, Note(text): Note, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Infallible> {
        Ok(Effect::persist(Noted(text)).reply(()))
    }
}

pub(crate) struct Rig {
    pub(crate) server: NatsServer,
    pub(crate) client: async_nats::Client,
    pub(crate) store: MemoryStore,
}

/// A message that the stream has.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) message: jetstream::Message,
}

impl Kept {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        Some(self.message.headers.as_ref()?.get(name)?.as_str())
    }

    /// Entity and number.
    pub(crate) fn event(&self) -> (String, u64) {
        let entity = self.header("ce-subject").unwrap().to_owned();
        (entity, self.header("ce-sequencenr").unwrap().parse().unwrap())
    }
}

pub(crate) const STREAM: &str = "NOTES";

impl Rig {
    /// A server with these lines in its configuration, and no stream; none if there is no NATS.
    pub(crate) async fn with_conf(conf: &[(&str, &str)]) -> Option<Self> {
        let program = available(NatsServer::find())?;
        let mut settings = NatsServerSettings::default();
        for (name, value) in conf {
            settings = settings.with_conf(*name, *value);
        }
        let server = NatsServer::start(&program, &settings).unwrap();
        let client = connect(server.url()).await;
        let rig = Self { server, client, store: MemoryStore::new() };
        rig.until("it is connected", async || rig.client.flush().await.is_ok()).await;
        Some(rig)
    }

    /// A server with a stream that drops duplicates within `window`.
    pub(crate) async fn with_window(window: Duration) -> Option<Self> {
        let rig = Self::with_conf(&[]).await?;
        rig.nats().create_stream(["notes.>"], window).await.unwrap();
        Some(rig)
    }

    pub(crate) async fn new() -> Option<Self> {
        Self::with_window(Duration::from_secs(60)).await
    }

    pub(crate) fn jetstream(&self) -> jetstream::Context {
        jetstream::new(self.client.clone())
    }

    pub(crate) fn nats(&self) -> Nats {
        Self::nats_over(self.client.clone())
    }

    /// The publisher, with a client of its own.
    pub(crate) fn nats_over(client: async_nats::Client) -> Nats {
        let subject = Subject::template("notes.{id}.{type}").unwrap();
        let settings = NatsSettings::default().with_ack_timeout(Duration::from_secs(2));
        Nats::new(jetstream::new(client), STREAM, subject).settings(settings)
    }

    /// A publisher that tries again soon.
    pub(crate) fn publisher(nats: Nats) -> Projection<Publishing<Nats>> {
        let mut settings = ProjectionSettings::default();
        settings.retries = 1;
        settings.retry_first = Duration::from_millis(10);
        settings.retry_max = Duration::from_millis(100);
        settings.on_failure = OnFailure::ParkEntity;
        Projection::publisher("to-nats", nats).from::<Notes>().settings(settings)
    }

    /// An engine over the journal of the rig.
    pub(crate) async fn engine(&self, projection: Projection<Publishing<Nats>>) -> Engine {
        let builder = Engine::builder("notes").store(self.store.clone()).entity::<Notes>(());
        builder.projection(projection).start().await.unwrap()
    }

    pub(crate) async fn stream(&self) -> stream::Stream {
        self.jetstream().get_stream(STREAM).await.unwrap()
    }

    /// Everything that is in the stream, in order.
    pub(crate) async fn kept(&self) -> Vec<Kept> {
        let stream = self.stream().await;
        let count = stream.get_info().await.unwrap().state.messages;
        let config = consumer::pull::OrderedConfig::default();
        let messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
        let count = usize::try_from(count).unwrap();
        let kept = messages.take(count).map(|message| Kept { message: message.unwrap() });
        kept.collect().await
    }

    /// The events that are in the stream, in order.
    pub(crate) async fn events(&self) -> Vec<(String, u64)> {
        self.kept().await.iter().map(Kept::event).collect()
    }

    pub(crate) async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let waiting = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let log = || self.server.log();
        tokio::time::timeout(Duration::from_secs(60), waiting)
            .await
            .unwrap_or_else(|_| panic!("waited in vain until {what}; the server says:\n{}", log()));
    }

    /// Waits until the projection waits, for a reason that `why` is a part of.
    pub(crate) async fn until_waiting(&self, projection: &ProjectionRef, why: &str) {
        self.until(&format!("it waits because {why}"), async || {
            format!("{:?}", projection.status().await).contains(why)
        })
        .await;
    }
}

/// A client that tries again soon.
pub(crate) async fn connect(url: String) -> async_nats::Client {
    let options = async_nats::ConnectOptions::new()
        .retry_on_initial_connect()
        .reconnect_delay_callback(|_| Duration::from_millis(50));
    options.connect(url).await.unwrap()
}

/// Notes something in an entity.
pub(crate) async fn note(engine: &Engine, id: &str, text: impl Into<String>) {
    engine.entity::<Notes>(id).ask(Note(text.into())).await.unwrap();
}

pub(crate) async fn caught_up(engine: &Engine) {
    engine.projection("to-nats").caught_up(Duration::from_secs(60)).await.unwrap();
}
