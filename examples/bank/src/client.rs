//! A client of the bank: sends orders, and says what an answer means for them.

use crate::{
    Happened,
    domain::{Applied, Money, Standing},
    projections::ShownProjection,
};
use anyhow::{Context, Result, ensure};
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{num::NonZeroU16, time::Duration};

/// How long an answer may take. The bank itself gives up after 5 seconds.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// A bank waits for what its projections are at.
const DIVISION_TIMEOUT: Duration = Duration::from_secs(60);

/// Something an account is to do, once: the key goes with every attempt.
#[derive(Clone, Debug)]
pub struct Order {
    /// The account.
    pub account: String,
    /// What is to be done.
    pub action: Action,
    /// The `Idempotency-Key`.
    pub key: String,
}

/// What an account is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open it for this owner.
    Open(String),
    /// Bring money in.
    Deposit(Money),
    /// Take money out.
    Withdraw(Money),
}

/// What a client reads of a cluster.
#[derive(Debug, Deserialize)]
pub struct ClusterAnswer {
    /// Its members.
    pub members: Vec<MemberAnswer>,
}

/// A member of a cluster.
#[derive(Debug, Deserialize)]
pub struct MemberAnswer {
    /// The name of the node.
    pub node: String,
    /// How many partitions it owns.
    pub partitions: usize,
}

/// The outcome of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// It was done, now or by an earlier attempt.
    Applied(Applied),
    /// It was not done, and cannot be as things stand: there is not enough money.
    Refused,
    /// It was done or not: send it again, with the same key.
    Unsure(String),
    /// It was not done, and sending it again does not help.
    Failed(String),
}

/// Speaks to one bank. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    /// A client of the bank at `url`.
    ///
    /// # Errors
    /// When there is no HTTP client to be had.
    pub fn new(url: impl Into<String>) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(REQUEST_TIMEOUT).build()?;
        Ok(Self { http, url: url.into().trim_end_matches('/').to_owned() })
    }

    /// The address of the bank.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes one attempt at an order.
    pub async fn send(&self, order: &Order) -> Outcome {
        let (path, body) = match &order.action {
            Action::Open(owner) => ("", json!({ "owner": owner })),
            Action::Deposit(amount) => ("/deposits", json!({ "amount": amount })),
            Action::Withdraw(amount) => ("/withdrawals", json!({ "amount": amount })),
        };
        let request = self.http.post(format!("{}/accounts/{}{path}", self.url, order.account));
        match answer(request.header("idempotency-key", &order.key).json(&body)).await {
            Ok((status, body)) => outcome(status, body),
            // what is around the cause says only that there was no answer
            Err(error) => Outcome::Unsure(error.root_cause().to_string()),
        }
    }

    /// The cluster as this bank sees it.
    ///
    /// # Errors
    /// When there is no answer, or the bank belongs to no cluster.
    pub async fn cluster(&self) -> Result<ClusterAnswer> {
        self.read("/cluster").await
    }

    /// How an account stands.
    ///
    /// # Errors
    /// When there is no answer, or it is a problem.
    pub async fn standing(&self, account: &str) -> Result<Standing> {
        self.read(&format!("/accounts/{account}")).await
    }

    /// The whole history of an account, page by page.
    ///
    /// # Errors
    /// When there is no answer, or it is a problem.
    pub async fn history(&self, account: &str) -> Result<Vec<Happened>> {
        #[derive(Deserialize)]
        struct HistoryAnswer {
            events: Vec<Happened>,
            next: Option<String>,
        }
        let mut next = Some(format!("/accounts/{account}/history?limit=1000"));
        let mut history = Vec::new();
        while let Some(path) = next {
            let page: HistoryAnswer = self.read(&path).await?;
            history.extend(page.events);
            next = page.next;
        }
        Ok(history)
    }

    /// Whether a bank is there; an error says what else.
    ///
    /// # Errors
    /// When something answers that is no bank, or too late.
    pub async fn finds_bank(&self) -> Result<bool> {
        let answer = self.http.get(format!("{}/problems", self.url)).send().await;
        match answer {
            Ok(answer) => {
                let status = answer.status();
                ensure!(status.is_success(), "{} is no bank: /problems is {status}", self.url);
                Ok(true)
            }
            Err(error) if error.is_connect() => Ok(false),
            Err(error) => Err(error).with_context(|| format!("cannot speak to {}", self.url)),
        }
    }

    /// The projections of the bank.
    ///
    /// # Errors
    /// When the bank cannot be reached, or does not answer as it should.
    pub async fn projections(&self) -> Result<Vec<ShownProjection>> {
        #[derive(Deserialize)]
        struct Projections {
            projections: Vec<ShownProjection>,
        }
        Ok(self.read::<Projections>("/projections").await?.projections)
    }

    /// Has the bank do something with a projection; returns in words what.
    ///
    /// # Errors
    /// As [`projections`](Self::projections); when it is refused, with the reason.
    pub async fn act_on_projection(&self, name: &str, action: &str) -> Result<String> {
        let url = format!("{}/projections/{name}/{action}", self.url);
        self.done(self.http.post(url)).await
    }

    /// Divides a projection into so many segments, and says what was done.
    ///
    /// # Errors
    /// As [`act_on_projection`](Self::act_on_projection).
    pub async fn divide_projection(&self, name: &str, segments: NonZeroU16) -> Result<String> {
        let url = format!("{}/projections/{name}/divide?segments={segments}", self.url);
        self.done(self.http.post(url).timeout(DIVISION_TIMEOUT)).await
    }

    async fn read<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T> {
        let (status, body) = self.answered(self.http.get(format!("{}{path}", self.url))).await?;
        ensure!(status.is_success(), "GET {path} is {status}: {body}");
        Ok(serde_json::from_value(body)?)
    }

    /// What was done, or why it was not.
    async fn done(&self, request: RequestBuilder) -> Result<String> {
        let (status, body) = self.answered(request).await?;
        let said = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        ensure!(status.is_success(), "{}", said("detail"));
        Ok(said("done"))
    }

    /// The answer; an error says where none came from.
    async fn answered(&self, request: RequestBuilder) -> Result<(StatusCode, Value)> {
        answer(request).await.with_context(|| format!("no bank answers at {}", self.url))
    }
}

async fn answer(request: RequestBuilder) -> Result<(StatusCode, Value)> {
    let answer = request.send().await?;
    let status = answer.status();
    Ok((status, answer.json().await.with_context(|| format!("the answer is {status}"))?))
}

fn outcome(status: StatusCode, body: Value) -> Outcome {
    if status.is_success() {
        return match serde_json::from_value(body) {
            Ok(applied) => Outcome::Applied(applied),
            Err(error) => Outcome::Failed(format!("not the answer of a bank: {error}")),
        };
    }
    let kind = body["type"].as_str().unwrap_or_default();
    let said = format!("{status}, {}", body["detail"].as_str().unwrap_or_default());
    match kind.strip_prefix("/problems/").unwrap_or(kind) {
        "insufficient-funds" => Outcome::Refused,
        "outcome-unknown" | "timeout" | "overloaded" | "unavailable" => Outcome::Unsure(said),
        _ => Outcome::Failed(said),
    }
}
