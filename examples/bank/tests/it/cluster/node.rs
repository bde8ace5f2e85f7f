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
        let lease = format!("{}ms", lease.as_millis());
        let own =
            ["--cluster-listen", "127.0.0.1:0", "--cluster-node", name, "--cluster-lease", &lease];
        let args = place.database_args().into_iter().chain(own.map(str::to_owned));
        let mut program = Program::serve(args);
        let url = program.url().await;
        let client = Client::new(url.clone()).unwrap();
        Self { name: name.to_owned(), program, client, url }
    }

    /// Waits until it sees so many members, and each partition owned by one of them.
    pub(super) async fn sees(&self, members: usize) {
        let begun = Instant::now();
        loop {
            let seen = self.cluster().await;
            assert!(begun.elapsed() < SEEN_WITHIN, "{} still sees {seen:?}", self.name);
            if let Some(seen) = seen {
                let is_owned = |owner: &Value| owner.is_string();
                let owners = seen["owners"].as_array().unwrap();
                let is_shared = seen["members"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|member| member["partitions"].as_u64().unwrap() > 0);
                let count = seen["members"].as_array().unwrap().len();
                if count == members && is_shared && owners.iter().all(is_owned) {
                    return;
                }
            }
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
