use super::current_links::CurrentLinks;
use actum_model::Position;
use actum_persistence::commits::{Commits, LaneCommits};
use actum_proto::wire::v1::{HeadsAdvanced, LaneHead, PeerMessage, peer_message::Content};
use prost::Message;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinSet, time::sleep};

/// What is committed within this time goes to the peers together.
const PACE: Duration = Duration::from_millis(5);

/// Of how many lanes a message says something: its length is bounded, and readers find what is in others by asking the store.
const LANES_MAX: usize = 1_000;

/// Lets the readers on other nodes know what this one commits.
pub(super) struct HeadAnnouncer {
    commits: Commits,
    links: Arc<CurrentLinks>,
}

impl HeadAnnouncer {
    pub(super) fn new(commits: Commits, links: Arc<CurrentLinks>) -> Self {
        Self { commits, links }
    }

    /// Runs until it is dropped. It sends nothing while nothing is committed.
    pub(super) async fn run(self) {
        let committed = Arc::new(Notify::new());
        let _watching = self.watch(&committed); // its tasks end with this future
        loop {
            committed.notified().await;
            self.links.send_latest(&self.message().encode_to_vec().into());
            sleep(PACE).await;
        }
    }

    fn watch(&self, committed: &Arc<Notify>) -> JoinSet<()> {
        let mut watching = JoinSet::new();
        for lane in self.commits.lanes() {
            watching.spawn(watch_lane(Arc::clone(lane), Arc::clone(committed)));
        }
        watching.spawn(watch_states(self.commits.clone(), Arc::clone(committed)));
        watching
    }

    fn message(&self) -> PeerMessage {
        let lanes = self.commits.lanes().iter();
        let lanes = lanes.map(|lane| LaneHead {
            lane: u32::from(lane.lane().nr()),
            position: lane.head().get(),
        });
        let heads = HeadsAdvanced {
            lanes: lanes.filter(|head| head.position > 0).take(LANES_MAX).collect(),
            state_writes: self.commits.states().writes(),
        };
        PeerMessage { content: Some(Content::HeadsAdvanced(heads)) }
    }
}

/// Notes what is committed to a lane, as often as that is sent at most.
async fn watch_lane(lane: Arc<LaneCommits>, committed: Arc<Notify>) {
    let mut known = Position::ZERO;
    loop {
        known = lane.behind(known).await;
        committed.notify_one();
        sleep(PACE).await;
    }
}

/// As [`watch_lane`], of durable states.
async fn watch_states(commits: Commits, committed: Arc<Notify>) {
    let mut known = 0;
    loop {
        known = commits.states().behind(known).await;
        committed.notify_one();
        sleep(PACE).await;
    }
}
