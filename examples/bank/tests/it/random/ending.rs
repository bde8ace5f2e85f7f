use super::{
    parts::{Row, rows},
    world::{LEASE, World, divided},
};
use crate::crash::{Journal, balance};
use actum::{ProjectionError, ProjectionStatus, ReaderEngine};
use bank::domain::AccountEvent;
use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed, time::Duration};
use tokio::time::{Instant, sleep};

/// How long it may take until all is handled, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// What must be so in the end.
impl World {
    /// No one is harmed any more: everything is handled, once.
    pub(super) async fn finish(&mut self) {
        self.is_over.store(true, Relaxed);
        while self.writing.join_next().await.is_some() {}
        let writer = self.writer.take().expect("it was replaced");
        let ended = writer.spawn(|engine| async move { engine.shutdown().await }).await;
        assert!(ended.unwrap().is_clean());
        drop(writer);
        self.mails.trouble.mend();
        while self.asked.join_next().await.is_some() {}
        if self.readers.is_empty() {
            self.start_one().await;
        }
        let expected = self.expected().await;
        self.finds
            .events
            .store(expected.values().map(|row| row.last.cast_unsigned()).sum(), Relaxed);
        self.until_complete(&expected).await;
        // those that were stopped change nothing any more
        for stopped in std::mem::take(&mut self.stopped) {
            let _ = stopped.await;
        }
        sleep(LEASE).await;
        self.until_complete(&expected).await;
        self.change_in_quiet().await;
        self.until_complete(&expected).await;
        self.assert_at_the_head().await;
        while let Some(one) = self.readers.pop() {
            let late = one.spawn(|readers| async move { readers.shutdown().await }).await.unwrap();
            assert!(late.is_empty(), "{late:?}");
        }
    }

    /// Where nothing is in the way, both are divided as they are asked to be, and what is removed is built again.
    async fn change_in_quiet(&mut self) {
        for name in ["sums", "mails"] {
            let (began, segments) = (Instant::now(), self.rng.u16(1..10));
            let ask = || {
                self.readers[0].spawn(|readers| async move {
                    let projection = readers.projection(name);
                    divided(&projection, segments).await && projection.reset().await.is_ok()
                })
            };
            while !ask().await.unwrap() {
                assert!(began.elapsed() < PATIENCE, "{name}: {:?}", self.statuses().await);
                sleep(LEASE / 5).await;
            }
            let status = self.status(name).await;
            assert_eq!(status.unwrap().segments.len(), usize::from(segments));
        }
    }

    async fn status(&self, name: &'static str) -> Result<ProjectionStatus, ProjectionError> {
        let read = |readers: ReaderEngine| async move { readers.projection(name).status().await };
        self.readers[0].spawn(read).await.unwrap()
    }

    /// The fold of the journal.
    async fn expected(&self) -> BTreeMap<String, Row> {
        let accounts = Journal::read(&self.place).await.accounts;
        let fold = |(account, events): (String, Vec<AccountEvent>)| {
            let sum = i64::try_from(balance(&events)).unwrap();
            let events = i64::try_from(events.len()).unwrap();
            (account, Row { sum, events, last: events })
        };
        accounts.into_iter().map(fold).collect()
    }

    async fn until_complete(&self, expected: &BTreeMap<String, Row>) {
        let began = Instant::now();
        loop {
            let (rows, mails) = (rows(&self.place).await, self.mails.last());
            let has_all = |(account, row): (&String, &Row)| {
                mails.get(account).copied() == Some(row.last.cast_unsigned())
            };
            if rows == *expected && expected.iter().all(has_all) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{rows:?} and {mails:?}, expected {expected:?}: {:#?}",
                self.statuses().await
            );
            for reader in &self.readers {
                let going_on = reader.spawn(|readers| async move {
                    for projection in readers.projections() {
                        // one that cannot be reached at the moment is asked again
                        let _ = projection.start().await;
                        let _ = projection.resume().await;
                        let _ = projection.replay_parked(None).await;
                    }
                });
                going_on.await.unwrap();
            }
            sleep(LEASE / 5).await;
        }
    }

    async fn statuses(&self) -> Vec<String> {
        let mut statuses = Vec::new();
        for name in ["sums", "mails"] {
            statuses.push(format!("{:?}", self.status(name).await));
        }
        statuses
    }

    /// Both have read all there is, and nothing was given up.
    async fn assert_at_the_head(&self) {
        let began = Instant::now();
        for name in ["sums", "mails"] {
            loop {
                let status = self.status(name).await;
                let is_done = status.as_ref().is_ok_and(|status| {
                    (status.lag.events, status.parked, status.dead_letters) == (0, 0, 0)
                        && status.segments.iter().all(|segment| segment.stopped.is_none())
                });
                if is_done {
                    break;
                }
                assert!(began.elapsed() < PATIENCE, "{name}: {status:?}");
                sleep(LEASE / 5).await;
            }
        }
    }
}
