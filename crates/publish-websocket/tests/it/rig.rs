//! An engine in memory, and a server for its live events.

use actum::{
    Cbor, Ctx, Effect, Engine, Entity, EventSourced, Handle, Json, MemoryStore, payload,
    store::Stores,
};
use actum_publish_websocket::{LiveClients, LiveEvents, LiveSettings};
use actum_testkit::{FaultStore, Faults};
use axum::Router;
use futures_util::{SinkExt as _, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{convert::Infallible, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::CloseFrame},
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Noted(pub(crate) String);
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Note(pub(crate) String);
payload!(Json: Noted = "note.noted", Note = "note.note");

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

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Counted(u64);
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Count(pub(crate) u64);
payload!(Cbor: Counted = "counter.counted", Count = "counter.count");

/// Its events are stored as CBOR.
pub(crate) struct Counter;

impl Entity for Counter {
    const KIND: &'static str = "counter";
    type Id = String;
    type Env = ();
    type Event = Counted;
    type Commands = (Count,);
    fn initial(_: &String) -> Self {
        Self
    }
}

impl EventSourced for Counter {
    fn apply(&mut self, _: &Counted) {}
}

impl Handle<Count> for Counter {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, Count(by): Count, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Infallible> {
        Ok(Effect::persist(Counted(by)).reply(()))
    }
}

pub(crate) struct Rig {
    pub(crate) engine: Engine,
    pub(crate) clients: LiveClients,
    pub(crate) address: String,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(LiveSettings::default()).await
    }

    pub(crate) async fn with(settings: LiveSettings) -> Self {
        Self::on(MemoryStore::new(), settings).await
    }

    /// On a store where things go wrong as the test says.
    pub(crate) async fn failing(settings: LiveSettings) -> (Self, Faults) {
        let store = FaultStore::new(MemoryStore::new());
        let faults = store.faults();
        (Self::on(store, settings).await, faults)
    }

    async fn on(store: impl Into<Stores>, settings: LiveSettings) -> Self {
        let builder = Engine::builder("notes").store(store);
        let engine = builder.entity::<Notes>(()).entity::<Counter>(()).start().await.unwrap();
        Self::over(engine, settings).await
    }

    pub(crate) async fn over(engine: Engine, settings: LiveSettings) -> Self {
        let live = LiveEvents::new(&engine).source("https://notes.example").from::<Notes>();
        let live = live.from::<Counter>().settings(settings);
        let clients = live.clients();
        let app: Router = Router::new().route("/events", live.route().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { engine, clients, address }
    }

    pub(crate) async fn note(&self, id: &str, text: impl Into<String>) {
        self.engine.entity::<Notes>(id).ask(Note(text.into())).await.unwrap();
    }

    pub(crate) async fn count(&self, id: &str, by: u64) {
        self.engine.entity::<Counter>(id).ask(Count(by)).await.unwrap();
    }

    /// Connects with this query, and takes in the hello.
    pub(crate) async fn connect(&self, query: &str) -> (Browser, Value) {
        let mut browser = self.try_connect(query).await.unwrap();
        let hello = browser.frame().await["hello"].take();
        assert!(hello.is_object());
        (browser, hello)
    }

    pub(crate) async fn try_connect(&self, query: &str) -> Result<Browser, Error> {
        self.connect_from(None, query).await
    }

    /// Connects as a page of this origin does.
    pub(crate) async fn connect_from(
        &self,
        origin: Option<&str>,
        query: &str,
    ) -> Result<Browser, Error> {
        let url = format!("ws://{}/events?{query}", self.address);
        let mut request = url.into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let (socket, _) = connect_async(request).await?;
        Ok(Browser { socket })
    }

    /// Everything that a client receives until its connection is closed, which never says anything.
    pub(crate) async fn listen_only(&self) -> Vec<u8> {
        let mut socket = TcpStream::connect(&self.address).await.unwrap();
        let request = format!(
            "GET /events HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.address
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        let reading = socket.read_to_end(&mut received);
        timeout(Duration::from_secs(30), reading).await.unwrap().unwrap();
        received
    }

    /// What a request that is refused is answered with: status, `Retry-After` and text.
    pub(crate) async fn refused(&self, query: &str) -> (u16, Option<String>, String) {
        let Err(Error::Http(response)) = self.try_connect(query).await else {
            panic!("it was not refused");
        };
        let retry = response.headers().get("retry-after");
        let retry = retry.map(|value| value.to_str().unwrap().to_owned());
        let text = response.body().clone().unwrap_or_default();
        (response.status().as_u16(), retry, String::from_utf8(text).unwrap())
    }
}

pub(crate) struct Browser {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Browser {
    /// What comes next, pings left out; they are answered meanwhile.
    async fn next(&mut self) -> Message {
        let next = async {
            loop {
                match self.socket.next().await.unwrap().unwrap() {
                    Message::Ping(_) | Message::Pong(_) => {}
                    message => return message,
                }
            }
        };
        timeout(Duration::from_secs(30), next).await.unwrap()
    }

    pub(crate) async fn frame(&mut self) -> Value {
        let message = self.next().await;
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }

    /// The next heartbeat; nothing else comes before it.
    pub(crate) async fn heartbeat(&mut self) -> Value {
        let mut frame = self.frame().await;
        assert!(frame.get("heartbeat").is_some(), "{frame}");
        frame["heartbeat"].take()
    }

    /// The next event with its offset, heartbeats left out.
    pub(crate) async fn event(&mut self) -> (Value, String) {
        loop {
            let mut frame = self.frame().await;
            if frame.get("event").is_some() {
                return (frame["event"].take(), frame["offset"].as_str().unwrap().to_owned());
            }
            assert!(frame.get("heartbeat").is_some(), "{frame}");
        }
    }

    /// The data of the next event.
    pub(crate) async fn data(&mut self) -> Value {
        self.event().await.0["data"].take()
    }

    /// Reads on until the server closes: how many events came, and why.
    pub(crate) async fn until_closed(&mut self) -> (usize, u16, String) {
        timeout(Duration::from_secs(30), self.read_to_close()).await.unwrap()
    }

    async fn read_to_close(&mut self) -> (usize, u16, String) {
        let mut events = 0;
        loop {
            match self.next().await {
                Message::Close(frame) => {
                    let CloseFrame { code, reason } = frame.unwrap();
                    return (events, code.into(), reason.to_string());
                }
                message => {
                    let is_event = message.to_text().unwrap().starts_with("{\"event\"");
                    events += usize::from(is_event);
                }
            }
        }
    }

    pub(crate) async fn leave(mut self) {
        // it may be closed already
        let _ = self.socket.close(None).await;
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text.to_owned())).await.unwrap();
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), waiting)
        .await
        .unwrap_or_else(|_| panic!("waited until {what}"));
}
