//! Nodes in processes of their own: this test program starts itself again.

use crate::recorder::{Reported, TestNode, peer};
use actum_cluster::{
    link::{LinkRefusal, LinkReport},
    transport::{PeerNode, TransportSettings},
};
use bytes::Bytes;
use std::{env, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::{Instant, timeout},
};

/// Set for the process of a node: its number, the number of its peer and where that is.
const CHILD: &str = "ACTUM_CLUSTER_CHILD";

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(30);

/// Begins what a process says about its address.
const LISTENS: &str = "listens at ";

/// Not a test of its own: the process of a node, which sends back whatever it is sent until its standard input ends.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(said) = env::var(CHILD) else { return };
    let [nr, peer_nr, address] = said.split(' ').collect::<Vec<_>>().try_into().expect("three");
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let node = TestNode::over_tcp(number(nr), TransportSettings::default()).await;
    let parent = PeerNode { address: address.to_owned(), ..peer(number(peer_nr)) };
    node.links.set_peers(vec![parent.clone()]);
    println!("{LISTENS}{}", node.own.address);
    let echo = async {
        loop {
            let message = node.seen.message().await;
            while node.links.send(parent.incarnation, 0, message.clone()).is_err() {
                tokio::task::yield_now().await;
            }
        }
    };
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    tokio::select! {
        biased;
        _ = lines.next_line() => {}
        () = echo => {}
    }
    node.links.close().await;
}

/// A node here and one in another process, connected.
struct TwoProcesses {
    node: TestNode,
    peer: PeerNode,
    child: Child,
    /// Read no further, and open: the other process writes there when it ends.
    _output: Lines<BufReader<ChildStdout>>,
}

impl TwoProcesses {
    async fn start(nr: u64) -> Self {
        let node = TestNode::over_tcp(nr, TransportSettings::default()).await;
        let program = env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .args(["--exact", "processes::child", "--nocapture"])
            .env(CHILD, format!("{} {nr} {}", nr + 1, node.own.address))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts again");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let address = loop {
            let line = timeout(SOON, lines.next_line()).await.expect("it says so soon");
            let line = line.expect("its output can be read").expect("it goes on");
            if let Some((_, address)) = line.split_once(LISTENS) {
                break address.to_owned();
            }
        };
        let peer = PeerNode { address, ..peer(nr + 1) };
        node.links.set_peers(vec![peer.clone()]);
        let both = Self { node, peer, child, _output: lines };
        timeout(SOON, both.connected()).await.expect("it is connected soon");
        both
    }

    async fn connected(&self) {
        while self.node.links.states()[0].connected_for.is_none() {
            self.heard().await;
        }
    }

    async fn heard(&self) {
        let heard = Reported::Link(self.peer.incarnation.get(), LinkReport::Heard);
        self.node.seen.wait_for(heard).await;
    }

    fn send(&self, ticket: u64, message: impl Into<Bytes>) -> Result<(), LinkRefusal> {
        self.node.links.send(self.peer.incarnation, ticket, message.into())
    }

    /// Sends a signal to the other process, by the system's own program.
    async fn signal(&self, signal: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let status = Command::new("kill").args([signal, &pid]).status().await;
        assert!(status.expect("the signal is sent").success());
    }

    async fn lost(&self) {
        self.node.seen.wait_for(Reported::Lost(self.peer.incarnation.get())).await;
    }

    async fn report(&self, report: LinkReport) {
        let report = Reported::Link(self.peer.incarnation.get(), report);
        self.node.seen.wait_for(report).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_to_another_process_and_back() {
    let mut both = TwoProcesses::start(300).await;
    let long: Bytes = (0..2_000_000u32).map(|nr| (nr / 5) as u8).collect();
    for nr in 0..2_000u64 {
        both.send(nr, nr.to_le_bytes().to_vec()).expect("it is sent");
    }
    for nr in 0..2_000u64 {
        let message = timeout(SOON, both.node.seen.message()).await.expect("soon");
        assert_eq!(message, nr.to_le_bytes().as_slice());
    }
    both.send(1, long.clone()).expect("it is sent");
    assert_eq!(timeout(SOON, both.node.seen.message()).await.expect("soon"), long);
    // the last line: it closes its links and ends
    let mut input = both.child.stdin.take().expect("its input");
    input.write_all(b"end\n").await.expect("it is read");
    timeout(SOON, both.lost()).await.expect("soon");
    let status = timeout(SOON, both.child.wait()).await.expect("soon").expect("it ends");
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_is_lost_and_refuses_within_a_fraction_of_a_second() {
    let mut both = TwoProcesses::start(310).await;
    both.child.start_kill().expect("it is killed");
    let start = Instant::now();
    timeout(SOON, both.lost()).await.expect("soon");
    let lost = start.elapsed();
    for _ in 0..3 {
        timeout(SOON, both.report(LinkReport::Refused)).await.expect("soon");
    }
    let refused = start.elapsed();
    assert!(
        lost < Duration::from_secs(1) && refused < Duration::from_secs(2),
        "{lost:?} {refused:?}"
    );
    assert_eq!(both.send(1, Bytes::new()), Err(LinkRefusal::NotConnected));
    both.child.wait().await.expect("it has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_stopped_is_silent_then_lost_and_is_back_when_it_goes_on() {
    let both = TwoProcesses::start(320).await;
    both.signal("-STOP").await;
    let start = Instant::now();
    let message = Bytes::from(vec![0; 60_000]);
    let mut sent = 0;
    while both.send(sent, message.clone()).is_ok() {
        sent += 1;
    }
    assert!(both.node.links.states()[0].buffered_bytes <= 16 << 20);
    timeout(SOON, both.report(LinkReport::Silent)).await.expect("soon");
    assert!(start.elapsed() >= Duration::from_millis(700), "{:?}", start.elapsed());
    let not_sent = both.node.seen.next(|reported| match reported {
        Reported::NotSent(_, tickets) => Some(tickets.len() as u64),
        _ => None,
    });
    let not_sent = timeout(SOON, not_sent).await.expect("soon");
    assert!(sent - not_sent <= 4, "{not_sent} of {sent} were not sent, two batches were");
    timeout(SOON, both.lost()).await.expect("soon");
    // the system takes connections for it, and no one answers
    timeout(SOON, both.report(LinkReport::Silent)).await.expect("soon");
    both.signal("-CONT").await;
    timeout(SOON, both.connected()).await.expect("it is connected soon");
    both.send(1, "again").expect("it is sent");
    let again = async { while both.node.seen.message().await != "again" {} };
    timeout(SOON, again).await.expect("soon");
}
