//! What the nodes of a cluster cost while nothing is asked of them.

use crate::rig::{Rig, RunningNode};
use actum_testkit::Operation;
use std::time::Duration;
use tokio::time::sleep;

const MEASURED: Duration = Duration::from_secs(60);

/// Frames that all nodes have sent, and calls of the journal that they have made.
fn so_far(nodes: &[RunningNode]) -> (u64, [u64; 2]) {
    let frames = |node: &RunningNode| {
        node.node.view().links.iter().map(|link| link.counts.frames_sent).sum::<u64>()
    };
    let calls = |node: &RunningNode| {
        let counts = node.faults.counts();
        [counts.all_calls(), counts.calls(Operation::RenewMember)]
    };
    let calls = nodes.iter().map(calls).fold([0; 2], |[a, b], [c, d]| [a + c, b + d]);
    (nodes.iter().map(frames).sum(), calls)
}

/// Per node and second.
async fn while_idle(nodes: usize) -> [f64; 3] {
    let rig = Rig::new();
    let names: Vec<_> = (0..nodes).map(|nr| format!("n{nr}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let running = rig.start_all(&names).await;
    sleep(Duration::from_secs(10)).await;
    let (frames, [calls, renewals]) = so_far(&running);
    sleep(MEASURED).await;
    let (frames_now, [calls_now, renewals_now]) = so_far(&running);
    let each = |count: u64| count as f64 / nodes as f64 / MEASURED.as_secs_f64();
    [each(frames_now - frames), each(calls_now - calls), each(renewals_now - renewals)]
}

#[tokio::test(start_paused = true)]
async fn ten_idle_nodes_send_heartbeats_and_ask_the_journal_a_few_times_a_second() {
    let mut calls_of = Vec::new();
    for nodes in [2, 10] {
        let [frames, calls, renewals] = while_idle(nodes).await;
        println!(
            "{nodes} idle nodes, each in a second: {frames:.1} frames, {calls:.2} calls of the journal, {renewals:.2} of them renewals"
        );
        // a heartbeat to each peer every 200 ms
        let heartbeats = 5.0 * (nodes - 1) as f64;
        assert!((0.5 * heartbeats..=1.1 * heartbeats).contains(&frames), "{frames}");
        calls_of.push(calls);
    }
    // what a node asks the journal for does not grow with the others
    assert!(calls_of[1] <= 1.05 * calls_of[0] && calls_of[1] <= 5.0, "{calls_of:?}");
}
