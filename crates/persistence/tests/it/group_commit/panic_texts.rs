use super::{
    gate_store::{Answer, Journal},
    patience::next,
    writes::{append, unavailable},
};
use actum_model::{Lane, Partition};
use actum_persistence::{
    group_commit::{CommitError, CommitSink, Committed, GroupCommitSettings, LaneWriter},
    store::{Incarnation, StoreError},
};
use std::{any::Any, error::Error, iter::successors, sync::Arc};
use tokio::sync::mpsc;

/// Passes on what errors say, their sources included.
struct Texts(mpsc::Sender<String>);

impl CommitSink<u32> for Texts {
    fn committed(&self, _: Partition, results: Vec<(u32, Result<Committed, CommitError>)>) {
        for (_, result) in results {
            let error = result.unwrap_err();
            let errors =
                successors(Some(&error as &(dyn Error + 'static)), |error| (*error).source());
            let texts: Vec<String> = errors.map(ToString::to_string).collect();
            self.0.try_send(texts.join(": ")).expect("the test takes every text");
        }
    }

    fn fenced(&self, _: Incarnation) {
        unreachable!("no one is revoked")
    }
    fn lost(&self, _: &StoreError) {}
}

#[tokio::test(start_paused = true)]
async fn what_a_store_said_as_it_panicked_is_passed_on() {
    let panics: [(Box<dyn Any + Send>, &str); 3] = [
        (Box::new("no disk"), "no disk"),
        (Box::new("disk 3 is gone".to_owned()), "disk 3 is gone"),
        (Box::new(3), "no message"),
    ];
    for (said, expected) in panics {
        let (store, mut calls) = Journal::new();
        let (texts, mut notices) = mpsc::channel(1);
        let settings = GroupCommitSettings::default().with_resolve_attempts_max(1);
        let (lane, incarnation) = (Lane::new(0), Incarnation::new(1));
        let writer = LaneWriter::spawn(store, lane, incarnation, settings, Arc::new(Texts(texts)));
        writer.queue().submit([(append(1), 1)]);
        let (_, answer) = next(&mut calls).await.write();
        answer.send(Answer::PanicWith(said)).unwrap();
        let (_, answer) = next(&mut calls).await.resolve();
        answer.send(Answer::Say(Err(unavailable()))).unwrap();
        let text = next(&mut notices).await;
        assert!(text.ends_with(&format!(": the store panicked: {expected}")), "{text}");
    }
}
