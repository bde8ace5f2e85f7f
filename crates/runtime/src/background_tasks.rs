use crate::{gate::Gate, restarts::Restarts};
use actum_persistence::panics::{guarded, log_safely};
use std::sync::Arc;
use tokio::{task::JoinHandle, time::sleep};

/// The background tasks of an engine. None of them ends unnoticed: one that panics is started again, and where that is
/// impossible the engine fails, so that every ask is refused at once. They end when this is dropped.
///
/// Not here, since more than a restart is needed: partitions, which their supervisor starts again, the writers of lanes,
/// which settle what they had and go on, and the saver, which is waited for.
pub(crate) struct BackgroundTasks {
    gate: Arc<Gate>,
    running: Vec<JoinHandle<()>>,
}

impl BackgroundTasks {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self { gate, running: Vec::new() }
    }

    /// Runs the task that `start` makes until it returns.
    pub(crate) fn keep<F>(
        &mut self,
        name: &'static str,
        start: impl FnMut() -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        self.running.push(tokio::spawn(keep_running(name, start)));
    }

    /// Fails the engine when this task ends before the engine does.
    pub(crate) fn require<T: Send + 'static>(&mut self, ends: &'static str, task: JoinHandle<T>) {
        let gate = Arc::clone(&self.gate);
        self.running.push(tokio::spawn(async move {
            let _ = task.await;
            gate.fail(ends);
        }));
    }
}

/// Runs the task that `start` makes until it returns, and makes it again whenever it panics.
pub(crate) async fn keep_running<F>(
    name: &'static str,
    mut start: impl FnMut() -> F + Send + Sync + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut restarts = Restarts::new();
    loop {
        restarts.started();
        // made inside the guard, too
        let Err(panic) = guarded(async { start().await }).await else { return };
        log_safely(|| {
            tracing::error!(task = name, panic, "background task panicked, it starts again");
        });
        let pause = restarts.failed();
        if !pause.is_zero() {
            sleep(pause).await;
        }
    }
}

impl Drop for BackgroundTasks {
    fn drop(&mut self) {
        self.running.iter().for_each(JoinHandle::abort);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_started_again_until_it_returns() {
        let started = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&started);
        let task = keep_running("test", move || {
            let nr = count.fetch_add(1, Ordering::SeqCst);
            assert_ne!(nr, 0, "as it is made");
            async move { assert_eq!(nr, 4, "as it runs") }
        });
        task.await;
        assert_eq!(started.load(Ordering::SeqCst), 5);
    }
}
