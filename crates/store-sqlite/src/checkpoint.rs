use crate::{
    checkpoint_session::{CheckpointSession, Mode},
    connection::PAGE_BYTES,
    journal_files::JournalFiles,
    room::Room,
    wal_growth::WalGrowth,
    writer::Writer,
};
use actum_persistence::panics::{guarded, log_safely};
use std::sync::Arc;
use tokio::{
    sync::{Mutex, oneshot},
    task::JoinHandle,
};

/// Copies the write-ahead log into the file, in a task and on a connection of its own, so that no commit waits for it.
///
/// ```text
/// the log holds             what happens
/// checkpoint_bytes unseen   it is copied beside the writer (PASSIVE). If no one wrote meanwhile, the log starts over
/// wal_bytes_max             under constant load there is always something new at its end: what is left is copied
///                           while the writer pauses, and the log starts over (RESTART)
/// ```
/// Where room on the volume is short both are less, and writers see to it themselves, see `room.rs`.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    /// The task ends when this is dropped.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// What the task needs.
pub(crate) struct Checkpoints {
    pub(crate) session: Arc<CheckpointSession>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) growth: Arc<WalGrowth>,
    pub(crate) room: Arc<Room>,
    pub(crate) files: Arc<JournalFiles>,
}

impl Checkpointer {
    /// Starts the task.
    pub(crate) fn start(checkpoints: Checkpoints) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(checkpoints.run(stopped));
        Self { running: Mutex::new(Some(Running { stop, task })) }
    }

    /// Stops the task and waits until it is through.
    pub(crate) async fn close(&self) {
        let Some(Running { stop, task }) = self.running.lock().await.take() else { return };
        drop(stop);
        if let Err(error) = task.await {
            log_safely(
                || tracing::error!(%error, "the task that checkpoints the journal has failed"),
            );
        }
    }
}

impl Checkpoints {
    async fn run(self, mut stopped: oneshot::Receiver<()>) {
        loop {
            tokio::select! {
                biased; // stopping comes first: what is left is copied when the last connection closes
                _ = &mut stopped => return,
                () = self.growth.worth_looking() => {}
            }
            if self.files.check().is_err() {
                continue; // what is there now may be a journal of another program
            }
            // whatever fails, the next look comes: without any the log would grow for ever
            let error = match guarded(self.look()).await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(panic) => format!("it panicked: {panic}"),
            };
            log_safely(|| {
                tracing::warn!(
                    error,
                    "a checkpoint of the journal has failed, its log keeps growing"
                );
            });
        }
    }

    async fn look(&self) -> Result<(), sqlx::Error> {
        let (due, most) = self.room.log_bounds();
        let log = self.session.run(Mode::Noop).await?;
        if log.pages.saturating_sub(log.copied) < due / PAGE_BYTES {
            return Ok(());
        }
        let log = self.session.run(Mode::Passive).await?;
        if log.pages < most / PAGE_BYTES {
            return Ok(());
        }
        let pause = self.writer.pause().await;
        let log = self.session.run(Mode::Restart).await?;
        drop(pause);
        if log.busy {
            let (log_pages, copied_pages) = (log.pages, log.copied);
            log_safely(|| {
                tracing::warn!(
                    log_pages,
                    copied_pages,
                    "a long transaction of another program keeps the journal's log from being reused"
                );
            });
        }
        Ok(())
    }
}
