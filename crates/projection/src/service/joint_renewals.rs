use actum_persistence::{
    progress::{
        PROJECTIONS_AT_ONCE_MAX, ProgressPlace, ProgressStore, RunnerRenewal, StoredProjection,
    },
    store::StoreError,
};
use actum_reader::runner::{Gathering, RoundWindow};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::{sync::oneshot, task::AbortHandle, time::Instant};

/// Renews the runners of a process, and loads what is kept of their projections: those whose progress is kept at one place
/// together, in one call of the store. Cheap to clone; all clones are one.
///
/// Each call is a task of its own, so none waits for one that hangs. It ends when no runner wants its answer any more.
#[derive(Clone)]
pub(crate) struct JointRenewals {
    waiting: Arc<Mutex<Gathering<PlaceKey, WaitingRenewal>>>,
    began: Instant,
}

/// Where runners renew together.
#[derive(PartialEq, Eq)]
enum PlaceKey {
    Known(ProgressPlace),
    /// The address of a store that stands for itself. It is no other one's while a renewal waits that holds it.
    Alone(usize),
}

/// A renewal that has not gone yet.
struct WaitingRenewal {
    renewal: RunnerRenewal,
    progress: Arc<dyn ProgressStore>,
    called: oneshot::Sender<CallUnderWay>,
}

/// A call that renews a runner, perhaps among others.
pub(super) struct CallUnderWay {
    pub(super) renewed: oneshot::Receiver<Renewed>,
    _task: Arc<CallTask>,
}

/// The outcome of a renewal.
pub(super) struct Renewed {
    /// When its call was begun.
    pub(super) begun: Instant,
    /// What is kept of its projection; none if nothing is any more.
    pub(super) stored: Result<Option<StoredProjection>, StoreError>,
}

/// The task of a call, which ends with the last of those who want its answer.
struct CallTask(AbortHandle);

impl JointRenewals {
    pub(crate) fn new() -> Self {
        Self { waiting: Arc::default(), began: Instant::now() }
    }

    /// A renewal begins to wait, and goes within its window; `called` says when it does. Returns its number.
    pub(super) fn enter(
        &self,
        progress: &Arc<dyn ProgressStore>,
        renewal: RunnerRenewal,
        window: RoundWindow,
        called: oneshot::Sender<CallUnderWay>,
    ) -> u64 {
        let (place, progress) = (PlaceKey::of(progress), Arc::clone(progress));
        let waiting = WaitingRenewal { renewal, progress, called };
        self.waiting.lock().enter(place, window, self.began.elapsed(), waiting)
    }

    /// Lets a renewal go now, and with it those that may; no one if it has gone before.
    pub(super) fn go(&self, nr: u64) {
        let now = self.began.elapsed();
        let mut waiting = self.waiting.lock();
        let gone = waiting.go(nr, now, PROJECTIONS_AT_ONCE_MAX);
        if !gone.is_empty() {
            call(gone); // under the lock: a runner that finds its renewal gone finds its call, too
        }
    }

    /// A renewal that does not go any more, if it has not yet.
    pub(super) fn leave(&self, nr: u64) {
        self.waiting.lock().leave(nr);
    }
}

impl PlaceKey {
    fn of(progress: &Arc<dyn ProgressStore>) -> Self {
        let alone = || Self::Alone(Arc::as_ptr(progress).addr());
        progress.place().map_or_else(alone, Self::Known)
    }
}

/// Renews in one call, through the store of the first.
fn call(gone: Vec<WaitingRenewal>) {
    let progress = Arc::clone(&gone[0].progress);
    let (mut renewals, mut waiting, mut senders) = (Vec::new(), Vec::new(), Vec::new());
    for WaitingRenewal { renewal, called, .. } in gone {
        let (sender, renewed) = oneshot::channel();
        renewals.push(renewal);
        senders.push(sender);
        waiting.push((called, renewed));
    }
    let task = tokio::spawn(async move {
        let begun = Instant::now();
        let answers = progress.renew_and_load(&renewals).await;
        let mut answers = answers.map(Vec::into_iter);
        for sender in senders {
            let stored = match &mut answers {
                Ok(answers) => answers.next().unwrap_or_else(|| Err(no_answer())),
                Err(error) => Err(error.clone()),
            };
            let _ = sender.send(Renewed { begun, stored }); // unless no one wants it any more
        }
    });
    let task = Arc::new(CallTask(task.abort_handle()));
    for (called, renewed) in waiting {
        let _ = called.send(CallUnderWay { renewed, _task: Arc::clone(&task) });
    }
}

/// The store has panicked, or has said less than it was asked.
pub(super) fn no_answer() -> StoreError {
    StoreError::unavailable("renewing the lease of a projection", "the store gave no answer")
}

impl Drop for CallTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}
