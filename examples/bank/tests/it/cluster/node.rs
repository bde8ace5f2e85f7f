use super::pause;
use crate::{place::Place, program::Program};
use bank::client::Client;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// After how long a node that is silent is removed, where nodes are harmed.
pub(super) const SHORT_LEASE: Duration = Duration::from_secs(1);

/// The same where none is: so long that it does not lapse, however busy the machine is.
pub(super) const LONG_LEASE: Duration = Duration::from_secs(60);

/// What is not seen by then does not come.
const SEEN_WITHIN: Duration = Duration::from_secs(120);

/// One of the banks.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) program: Program,
    pub(super) client: Client,
    url: String,
}

impl Node {
    /// Starts a node, and waits until it takes requests.
    pub(super) async fn start(place: &Place, name: &str, lease: Duration) -> Self {
        Self::start_as(place, name, lease, "1.0.0").await
    }

    /// Starts a node that runs this version of the application.
    pub(super) async fn start_as(
        place: &Place,
        name: &str,
        lease: Duration,
        version: &str,
    ) -> Self {
        let lease = format!("{}ms", lease.as_millis());
        let own = [
            ["--cluster-listen", "127.0.0.1:0"],
            ["--cluster-node", name],
            ["--cluster-lease", &lease],
            ["--cluster-version", version],
        ];
        let args =
            place.database_args().into_iter().chain(own.concat().into_iter().map(str::to_owned));
        let mut program = Program::serve(args);
        let url = program.url().await;
        let client = Client::new(url.clone()).unwrap();
        Self { name: name.to_owned(), program, client, url }
    }

    /// Waits until it sees so many members, and each partition owned by one of them.
    pub(super) async fn sees(&self, members: usize) {
        self.sees_that(|seen| is_shared_out(seen, members)).await;
    }

    /// Waits until it sees so many members, one of this version among them, and each partition owned by one of them.
    pub(super) async fn sees_of(&self, count: usize, version: Option<&str>) {
        self.sees_that(|seen| {
            let members = seen["members"].as_array().unwrap();
            let is_of = |version| members.iter().any(|one| one["application_version"] == version);
            members.len() == count && is_owned(seen) && version.is_none_or(is_of)
        })
        .await;
    }

    async fn sees_that(&self, is_wanted: impl Fn(&Value) -> bool) {
        let begun = Instant::now();
        loop {
            let seen = self.cluster().await;
            if seen.as_ref().is_some_and(&is_wanted) {
                return;
            }
            assert!(begun.elapsed() < SEEN_WITHIN, "{} still sees {seen:?}", self.name);
            pause().await;
        }
    }

    /// Which life of the node it is.
    pub(super) async fn incarnation(&self) -> u64 {
        let begun = Instant::now();
        loop {
            let seen = self.cluster().await;
            assert!(begun.elapsed() < SEEN_WITHIN, "{} still sees {seen:?}", self.name);
            if let Some(seen) = seen {
                let members = seen["members"].as_array().unwrap();
                let own = members.iter().find(|member| member["node"] == self.name.as_str());
                if let Some(own) = own {
                    return own["incarnation"].as_u64().unwrap();
                }
            }
            pause().await;
        }
    }

    async fn cluster(&self) -> Option<Value> {
        let answer = reqwest::get(format!("{}/cluster", self.url)).await.ok()?;
        serde_json::from_slice(&answer.bytes().await.ok()?).ok()
    }

    /// Kills it.
    pub(super) async fn kill(self) {
        self.program.kill().await;
    }

    /// Asks it to end, and waits until it has.
    pub(super) async fn end(self) {
        self.program.signal("TERM").await;
        assert!(self.program.ended().await.success());
    }
}

fn is_owned(seen: &Value) -> bool {
    seen["owners"].as_array().unwrap().iter().all(Value::is_string)
}

fn is_shared_out(seen: &Value, members: usize) -> bool {
    let owns = |member: &Value| member["partitions"].as_u64().unwrap() > 0;
    let seen_members = seen["members"].as_array().unwrap();
    seen_members.len() == members && seen_members.iter().all(owns) && is_owned(seen)
}
