use super::{patience::next, writes::word};
use actum_model::Partition;
use actum_persistence::{
    group_commit::{CommitError, CommitSink, Committed},
    store::{Incarnation, StoreError},
};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What a sink was notified of, in short.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Committed { partition: u16, results: Vec<(u32, String)> },
    Fenced(Incarnation),
    Lost(String),
}

/// A sink that passes everything on to the test.
pub(super) struct Recorder(mpsc::Sender<Notice>);

impl Recorder {
    pub(super) fn new() -> (Arc<Self>, mpsc::Receiver<Notice>) {
        let (sender, receiver) = mpsc::channel(10_000);
        (Arc::new(Self(sender)), receiver)
    }
}

impl CommitSink<u32> for Recorder {
    fn committed(&self, partition: Partition, results: Vec<(u32, Result<Committed, CommitError>)>) {
        let results = results.iter().map(|(ticket, result)| (*ticket, word(result))).collect();
        let notice = Notice::Committed { partition: partition.nr(), results };
        self.0.try_send(notice).expect("a test has fewer results than the channel has room for");
    }

    fn fenced(&self, incarnation: Incarnation) {
        self.0.try_send(Notice::Fenced(incarnation)).expect("a revoked writer is reported once");
    }

    fn lost(&self, error: &StoreError) {
        self.0.try_send(Notice::Lost(error.to_string())).expect("a lost store is reported once");
    }
}

/// The next results, as tickets and words; they must be of partition 0.
pub(super) async fn results(notices: &mut mpsc::Receiver<Notice>) -> Vec<(u32, String)> {
    match next(notices).await {
        Notice::Committed { partition: 0, results } => results,
        other => panic!("expected results of partition 0, got {other:?}"),
    }
}
