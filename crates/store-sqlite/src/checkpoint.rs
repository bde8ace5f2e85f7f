use crate::{
    connection::{Connector, PAGE_BYTES, Role},
    session::{Session, column},
    wal_growth::WalGrowth,
    writer::Writer,
};
use std::sync::Arc;
use tokio::{
    sync::{Mutex, oneshot},
    task::JoinHandle,
};

/// Copies the write-ahead log into the file, in a task and on a connection of its own, so that no commit waits for it.
///
/// ```text
/// the log holds             what happens
/// checkpoint_bytes unseen   it is copied beside the writer (PASSIVE). If nobody wrote meanwhile, the log starts over
/// wal_bytes_max             under constant load there is always something new at its end: what is left is copied
///                           while the writer pauses, and the log starts over (RESTART)
/// ```
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

struct Checkpoints {
    connector: Connector,
    writer: Arc<Writer>,
    growth: Arc<WalGrowth>,
    session: Option<Session>,
}

/// What the write-ahead log holds, in pages.
struct Log {
    pages: u64,
    copied: u64,
    busy: bool,
}

impl Checkpointer {
    /// Starts the task.
    pub(crate) fn start(connector: Connector, writer: Arc<Writer>, growth: Arc<WalGrowth>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let checkpoints = Checkpoints { connector, writer, growth, session: None };
        let task = tokio::spawn(checkpoints.run(stopped));
        Self { running: Mutex::new(Some(Running { stop, task })) }
    }

    /// Stops the task and waits until it is through.
    pub(crate) async fn close(&self) {
        let Some(Running { stop, task }) = self.running.lock().await.take() else { return };
        drop(stop);
        if let Err(error) = task.await {
            tracing::error!(%error, "the task that checkpoints the journal has failed");
        }
    }
}

impl Checkpoints {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        loop {
            tokio::select! {
                biased; // stopping comes first: what is left is copied when the last connection closes
                _ = &mut stopped => break,
                () = self.growth.worth_looking() => {}
            }
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "a checkpoint of the journal has failed, its log keeps growing");
            }
        }
        if let Some(session) = self.session.take()
            && let Err(error) = session.close().await
        {
            tracing::warn!(%error, "the connection that checkpoints did not close cleanly");
        }
    }

    async fn look(&mut self) -> Result<(), sqlx::Error> {
        let (due, most) = (
            self.connector.settings.checkpoint_bytes / PAGE_BYTES,
            self.connector.settings.wal_bytes_max / PAGE_BYTES,
        );
        let log = self.checkpoint("PRAGMA wal_checkpoint(NOOP)").await?;
        if log.pages.saturating_sub(log.copied) < due {
            return Ok(());
        }
        let log = self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)").await?;
        if log.pages < most {
            return Ok(());
        }
        let writer = Arc::clone(&self.writer);
        let pause = writer.pause().await;
        let log = self.checkpoint("PRAGMA wal_checkpoint(RESTART)").await?;
        drop(pause);
        if log.busy {
            let (log_pages, copied_pages) = (log.pages, log.copied);
            tracing::warn!(
                log_pages,
                copied_pages,
                "a long transaction of another program keeps the journal's log from being reused"
            );
        }
        Ok(())
    }

    async fn checkpoint(&mut self, pragma: &'static str) -> Result<Log, sqlx::Error> {
        let session = match self.session.take().filter(Session::is_idle) {
            Some(session) => session,
            None => Session::new(self.connector.connect(Role::Checkpointer).await?),
        };
        let rows = self.session.insert(session).rows(sqlx::query(pragma)).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        // -1 where there is no write-ahead log
        let pages =
            |index| Ok::<u64, sqlx::Error>(column::<i64>(row, index)?.max(0).cast_unsigned());
        Ok(Log { busy: column::<i64>(row, 0)? != 0, pages: pages(1)?, copied: pages(2)? })
    }
}
