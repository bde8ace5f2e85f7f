use super::{
    current_links::CurrentLinks,
    node_task::Leave,
    view::{ClusterView, SharedView},
};
use crate::routing::Router;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};

/// The node of an engine that belongs to a cluster. Cheap to clone.
#[derive(Clone)]
pub struct Node {
    inner: Arc<RunningNode>,
}

struct RunningNode {
    view: watch::Receiver<SharedView>,
    asks_to_leave: mpsc::Sender<Leave>,
    router: Arc<Router>,
    links: Arc<CurrentLinks>,
    /// That of the node, and the one that announces what it commits.
    tasks: [JoinHandle<()>; 2],
}

/// How long a node waits beyond its time to leave: for its own task, which ends the waiting in time.
const LEAVE_GRACE: Duration = Duration::from_secs(1);

/// How long a node waits at its end for its last answers to be taken, and for its connections to close.
const END_MAX: Duration = Duration::from_secs(2);

impl Node {
    pub(super) fn new(
        view: watch::Receiver<SharedView>,
        asks_to_leave: mpsc::Sender<Leave>,
        router: Arc<Router>,
        links: Arc<CurrentLinks>,
        tasks: [JoinHandle<()>; 2],
    ) -> Self {
        Self { inner: Arc::new(RunningNode { view, asks_to_leave, router, links, tasks }) }
    }

    /// The cluster as this node sees it now. It asks no one.
    #[must_use]
    pub fn view(&self) -> Arc<ClusterView> {
        Arc::clone(&self.inner.view.borrow())
    }

    /// Waits until this node sees what is wanted; for ever, if it never does.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn sees(&self, is_wanted: impl Fn(&ClusterView) -> bool + Send) -> Arc<ClusterView> {
        let mut view = self.inner.view.clone();
        let seen = view.wait_for(|view| is_wanted(view)).await.map(|view| Arc::clone(&view));
        match seen {
            Ok(view) => view,
            Err(_) => std::future::pending().await, // it has ended
        }
    }

    /// Hands off everything, until this time at most: it owns nothing any more then, unless there is no other node that could,
    /// or the time was too short. It goes on as a member that owns nothing until it is [closed](Self::close).
    ///
    /// # Cancel safety
    /// Dropping the future stops nothing.
    pub async fn leave(&self, deadline: Instant) {
        let (left, has_left) = oneshot::channel();
        let leave = Leave { deadline, left: Some(left) };
        if self.inner.asks_to_leave.send(leave).await.is_ok() {
            let _ = timeout_at(deadline + LEAVE_GRACE, has_left).await;
        }
    }

    /// Ends the node, when its engine has ended: answers what is left here, and closes its links behind the last answers to
    /// other nodes, which a process must not take with it. Waits for that, two seconds at most.
    ///
    /// # Cancel safety
    /// Dropping the future stops nothing.
    pub async fn end(&self) {
        self.inner.stop();
        let _ = timeout(END_MAX, self.inner.links.close()).await;
    }

    /// As [`end`](Self::end), and waits for nothing.
    pub fn close(&self) {
        self.inner.close();
    }
}

impl Drop for RunningNode {
    fn drop(&mut self) {
        self.close();
    }
}

impl RunningNode {
    fn close(&self) {
        self.stop();
        self.links.replace(None);
    }

    /// Does nothing more, and answers what is left.
    fn stop(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.router.close();
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("incarnation", &self.view().me).finish_non_exhaustive()
    }
}
