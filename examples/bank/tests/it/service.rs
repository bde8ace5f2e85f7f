//! A bank that serves in this process, and what it answers.

use actum::{MemoryStore, SqliteStore, settings::RuntimeSettings, store::Stores};
use bank::{
    Bank, Server,
    http::ProblemType,
    read_models::{ProjectionPace, ReadModels},
    statements::Zone,
};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use std::path::Path;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A bank on a port of its own.
pub(crate) struct Service {
    server: Server,
    http: reqwest::Client,
}

/// What it answers.
#[derive(Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Service {
    /// A bank with nothing in it.
    pub(crate) async fn start() -> Self {
        Self::over(MemoryStore::new(), RuntimeSettings::default()).await
    }

    /// A bank with one account, `ada`, that holds 100 after its opening and a deposit.
    pub(crate) async fn with_ada() -> Self {
        let service = Self::start().await;
        service.open_ada().await;
        service
    }

    /// A bank on this file, with all that projections keep beside the journal.
    pub(crate) async fn on(file: &Path) -> Self {
        let store = SqliteStore::open(file).await.unwrap();
        let kept = ReadModels::in_file(&store, Zone::UTC);
        let bank = Bank::start_with(
            store,
            Some((kept, ProjectionPace::default())),
            RuntimeSettings::default(),
        );
        Self::of(bank.await.unwrap()).await
    }

    pub(crate) async fn over(stores: impl Into<Stores>, settings: RuntimeSettings) -> Self {
        Self::of(Bank::start_with(stores, None, settings).await.unwrap()).await
    }

    async fn of(bank: Bank) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::start(bank, listener).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { server, http }
    }

    pub(crate) async fn open_ada(&self) {
        assert_eq!(self.post("/accounts/ada", &json!({ "owner": "Ada" })).await.status, 201);
        assert_eq!(
            self.post("/accounts/ada/deposits", &json!({ "amount": 100 })).await.status,
            200
        );
    }

    /// What `ada` holds, and after how many changes.
    pub(crate) async fn ada(&self) -> (u64, u64) {
        let shown = self.get("/accounts/ada").await.json();
        (shown["balance"].as_u64().unwrap(), shown["revision"].as_u64().unwrap())
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.http.request(method, format!("{}{path}", self.url()))
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        Reply::of(self.request("POST", path).json(body)).await
    }

    pub(crate) async fn post_with(&self, path: &str, body: &Value, header: (&str, &str)) -> Reply {
        Reply::of(self.request("POST", path).header(header.0, header.1).json(body)).await
    }

    /// Sends bytes as they are on a connection of their own, and gives all that comes back.
    pub(crate) async fn raw(&self, request: &[u8]) -> String {
        let mut connection = TcpStream::connect(self.server.address()).await.unwrap();
        connection.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Ends, and everything must have been finished.
    pub(crate) async fn stop(self) {
        drop(self.http); // and its connections
        assert!(self.server.stop().await.is_clean());
    }
}

impl Reply {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let path = request.url().path().to_owned();
        let answer = client.execute(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Self { path, status, headers, text: answer.text().await.unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body of an answer that is no problem.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_str(&self.text).unwrap()
    }

    /// Checks that this is a problem document of this type, whose detail contains `detail`, and gives it.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, name: &str, detail: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let document: Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(document["type"], format!("/problems/{name}"), "{document}");
        assert_eq!(document["status"], status, "{document}");
        assert_eq!(document["instance"], self.path, "{document}");
        let kind = ProblemType::ALL.iter().find(|kind| kind.name == name).unwrap();
        assert_eq!(document["title"], kind.title, "{document}");
        assert_eq!(document["advice"], kind.advice, "{document}");
        let said = document["detail"].as_str().unwrap();
        assert!(said.contains(detail), "not `{detail}`: {document}");
        assert_eq!(self.header("retry-after"), (status == 503).then_some("1"), "{self:?}");
        document
    }
}
