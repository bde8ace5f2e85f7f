use std::{
    thread,
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// As good as a process of its own: a tokio runtime, and one of those that run in it. It dies in the middle of anything, and it can be
/// stopped for a while.
pub(super) struct Process<T> {
    runtime: Option<Runtime>,
    runs: T,
}

impl<T: Clone + Send + 'static> Process<T> {
    pub(super) async fn start(begin: impl Future<Output = T> + Send + 'static) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let runs = runtime.spawn(begin).await.unwrap();
        Self { runtime: Some(runtime), runs }
    }

    /// Has it do something; its outcome is lost if the process dies.
    pub(super) fn spawn<R, F>(&self, what: impl FnOnce(T) -> F) -> JoinHandle<R>
    where
        R: Send + 'static,
        F: Future<Output = R> + Send + 'static,
    {
        self.runtime.as_ref().expect("it lives").spawn(what(self.runs.clone()))
    }

    /// It does nothing for so long, wherever it is.
    pub(super) fn stop_for(&self, time: Duration) -> JoinHandle<()> {
        self.spawn(|_| async move {
            let end = Instant::now() + time;
            while let left = end.saturating_duration_since(Instant::now())
                && !left.is_zero()
            {
                thread::park_timeout(left);
            }
        })
    }
}

impl<T> Drop for Process<T> {
    /// It dies: nothing that it is at is finished.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
