use super::key::Key;
use crate::{cli::ClusterDemoArgs, client::Client};
use anyhow::{Context, Result, ensure};
use parking_lot::RwLock;
use std::{env, process::Stdio, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// How long a bank may take to serve, or to end.
const START_TIMEOUT: Duration = Duration::from_secs(30);
const END_TIMEOUT: Duration = Duration::from_secs(30);

/// The banks of the demo.
pub(super) struct Nodes {
    all: Vec<DemoNode>,
    /// Those that can be sent orders.
    clients: Arc<RwLock<Vec<Client>>>,
    unattended: bool,
}

/// One of them.
pub(super) struct DemoNode {
    pub(super) name: String,
    pub(super) state: NodeState,
    process: Option<Child>,
    pub(super) client: Option<Client>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeState {
    Runs,
    Frozen,
    Stops,
    Ended,
}

impl Nodes {
    pub(super) async fn start(args: &ClusterDemoArgs) -> Result<Self> {
        let mut nodes = Self { all: Vec::new(), clients: Arc::default(), unattended: false };
        for nr in 1..=usize::from(args.nodes) {
            let node = DemoNode::start(nr, args).await?;
            nodes.all.push(node);
            nodes.share_clients();
        }
        Ok(nodes)
    }

    /// Those that can be sent orders, as they are at each time.
    pub(super) fn clients(&self) -> Arc<RwLock<Vec<Client>>> {
        Arc::clone(&self.clients)
    }

    pub(super) fn all(&mut self) -> &mut [DemoNode] {
        &mut self.all
    }

    /// Whether no one enters keys any more.
    pub(super) fn is_unattended(&self) -> bool {
        self.unattended
    }

    pub(super) fn leave_unattended(&mut self) {
        self.unattended = true;
    }

    /// Does what was asked for; says what was done, or why not.
    pub(super) async fn act(&mut self, key: Key, args: &ClusterDemoArgs) -> String {
        let done = match key {
            Key::Add(nr) => self.add(nr, args).await,
            Key::Kill(nr) => self.signal(nr, "KILL", NodeState::Ended).await,
            Key::Stop(nr) => self.signal(nr, "TERM", NodeState::Stops).await,
            Key::Freeze(nr) => self.signal(nr, "STOP", NodeState::Frozen).await,
            Key::Thaw(nr) => self.signal(nr, "CONT", NodeState::Runs).await,
            Key::Quit => Ok(String::new()),
        };
        self.share_clients();
        done.unwrap_or_else(|error| format!("{error:#}"))
    }

    async fn add(&mut self, nr: Option<usize>, args: &ClusterDemoArgs) -> Result<String> {
        let nr = nr.unwrap_or(self.all.len() + 1);
        ensure!(nr <= self.all.len() + 1, "the next one is n{}", self.all.len() + 1);
        if let Some(node) = self.all.get(nr - 1) {
            ensure!(node.state == NodeState::Ended, "{} has not ended", node.name);
        }
        let node = DemoNode::start(nr, args).await?;
        let says = format!("started {}", node.name);
        if nr > self.all.len() {
            self.all.push(node);
        } else {
            self.all[nr - 1] = node;
        }
        Ok(says)
    }

    async fn signal(&mut self, nr: usize, signal: &str, state: NodeState) -> Result<String> {
        let node = self.all.get_mut(nr - 1).with_context(|| format!("there is no n{nr}"))?;
        node.signal(signal).await?;
        node.state = state;
        Ok(format!("sent SIG{signal} to {}", node.name))
    }

    /// Notices who has ended.
    pub(super) fn look(&mut self) {
        for node in &mut self.all {
            let has_ended = |process: &mut Child| process.try_wait().is_ok_and(|end| end.is_some());
            if node.process.as_mut().is_some_and(has_ended) {
                (node.process, node.state) = (None, NodeState::Ended);
            }
        }
        self.share_clients();
    }

    fn share_clients(&self) {
        let serving = self.all.iter().filter(|node| node.state == NodeState::Runs);
        *self.clients.write() = serving.filter_map(|node| node.client.clone()).collect();
    }

    pub(super) async fn thaw_all(&mut self) {
        for node in self.all.iter_mut().filter(|node| node.state == NodeState::Frozen) {
            if node.signal("CONT").await.is_ok() {
                node.state = NodeState::Runs;
            }
        }
        self.look();
    }

    /// Asks all to end, and waits for that.
    pub(super) async fn end(mut self) {
        for node in &self.all {
            let _ = node.signal("TERM").await; // it may have ended
        }
        for process in self.all.iter_mut().filter_map(|node| node.process.as_mut()) {
            if timeout(END_TIMEOUT, process.wait()).await.is_err() {
                let _ = process.kill().await;
            }
        }
    }
}

impl DemoNode {
    async fn start(nr: usize, args: &ClusterDemoArgs) -> Result<Self> {
        let name = format!("n{nr}");
        let program = env::current_exe().context("cannot find this program")?;
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--cluster-listen", "127.0.0.1:0"]);
        command.args(["--cluster-node", &name]).args(args.database.as_args());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        // what happens to them is shown; what goes wrong is written
        command.env("RUST_LOG", env::var("RUST_LOG").unwrap_or_else(|_| "error".to_owned()));
        let mut process = command.spawn().context("cannot start a bank")?;
        let output = process.stdout.take().context("its output cannot be read")?;
        let mut lines = BufReader::new(output).lines();
        let first = timeout(START_TIMEOUT, lines.next_line()).await;
        let first = first.with_context(|| format!("{name} does not serve"))??;
        let url = first.as_deref().and_then(|line| line.strip_prefix("listening on "));
        let url = url.with_context(|| format!("{name} has ended before it served"))?;
        let client = Some(Client::new(url)?);
        // it must not be kept by what it writes
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { name, state: NodeState::Runs, process: Some(process), client })
    }

    async fn signal(&self, signal: &str) -> Result<()> {
        let id = self.process.as_ref().and_then(Child::id);
        let id = id.with_context(|| format!("{} has ended", self.name))?;
        // the shell's own `kill`: the program of that name is not on every machine
        let sent =
            Command::new("sh").arg("-c").arg(format!("kill -{signal} {id}")).status().await?;
        ensure!(sent.success(), "the signal was not sent");
        Ok(())
    }
}
