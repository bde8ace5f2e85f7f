use super::{patience::next, writes::word};
use actum_model::Partition;
use actum_persistence::{
    group_commit::{CommitError, CommitSink, Committed},
    store::{Incarnation, StoreError},
};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What a sink was told, in short.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    Committed { partition: u16, results: Vec<(u32, String)> },
    Fenced(Incarnation),
    Lost(String),
}

/// A sink that passes everything on to the test.
pub(super) struct Recorder(mpsc::Sender<Told>);

impl Recorder {
    pub(super) fn new() -> (Arc<Self>, mpsc::Receiver<Told>) {
        let (sender, receiver) = mpsc::channel(10_000);
        (Arc::new(Self(sender)), receiver)
    }
}

impl CommitSink<u32> for Recorder {
    fn committed(&self, partition: Partition, results: Vec<(u32, Result<Committed, CommitError>)>) {
        let results = results.iter().map(|(ticket, result)| (*ticket, word(result))).collect();
        let told = Told::Committed { partition: partition.nr(), results };
        self.0.try_send(told).expect("a test has fewer results than the channel has room for");
    }

    fn fenced(&self, incarnation: Incarnation) {
        self.0.try_send(Told::Fenced(incarnation)).expect("a revoked writer is told once");
    }

    fn lost(&self, error: &StoreError) {
        self.0.try_send(Told::Lost(error.to_string())).expect("a lost store is told once");
    }
}

/// The next results, as tickets and words; they must be of partition 0.
pub(super) async fn results(told: &mut mpsc::Receiver<Told>) -> Vec<(u32, String)> {
    match next(told).await {
        Told::Committed { partition: 0, results } => results,
        other => panic!("expected results of partition 0, got {other:?}"),
    }
}
