use super::network_ways::NetworkWays;
use crate::transport::{FRAME_BYTES_MAX, PeerConnection, TransportEvents};
use actum_persistence::store::Incarnation;
use bytes::Bytes;
use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

/// How many frames may be on their way in one direction. Links keep far fewer there; a connection on which there are more has
/// lost its way, and ends.
const FRAMES_MAX: usize = 1_024;

/// One end of a connection: what its node sends goes to the other end.
pub(super) struct MemoryConnection {
    ways: Arc<NetworkWays>,
    /// Each with the time that it takes: the clock of the other node may be another one.
    frames: mpsc::Sender<(Duration, Bytes)>,
    closed: watch::Sender<bool>,
}

/// The other end of a direction: what takes the frames out.
pub(super) struct FramesIn {
    frames: mpsc::Receiver<(Duration, Bytes)>,
    closed: watch::Receiver<bool>,
}

impl MemoryConnection {
    /// Both ends of a connection: for each of them what sends, and what has arrived.
    pub(super) fn pair(ways: &Arc<NetworkWays>) -> [(Arc<Self>, FramesIn); 2] {
        let (closed, sees_closed) = watch::channel(false);
        let (to_second, at_second) = mpsc::channel(FRAMES_MAX);
        let (to_first, at_first) = mpsc::channel(FRAMES_MAX);
        [(to_second, at_first), (to_first, at_second)].map(|(frames, arrives)| {
            let (ways, closed) = (ways.clone(), closed.clone());
            let end = Arc::new(Self { ways, frames, closed });
            (end, FramesIn { frames: arrives, closed: sees_closed.clone() })
        })
    }
}

impl PeerConnection for MemoryConnection {
    fn send(&self, frame: Bytes) -> bool {
        assert!(frame.len() <= FRAME_BYTES_MAX, "a frame of {} bytes", frame.len());
        if *self.closed.borrow() {
            return false;
        }
        let sent = self.frames.try_send((self.ways.delay(), frame)).is_ok();
        if !sent {
            self.close();
        }
        sent
    }

    fn close(&self) {
        self.closed.send_replace(true);
    }
}

impl fmt::Debug for MemoryConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryConnection").finish_non_exhaustive()
    }
}

impl FramesIn {
    /// Reports what arrives at the node `to` until the connection ends.
    pub(super) async fn deliver(
        mut self,
        ways: &NetworkWays,
        (from, to): (Incarnation, Incarnation),
        events: &dyn TransportEvents,
    ) {
        let mut closed = self.closed.clone();
        let arrive = async {
            let mut on_their_way = VecDeque::new();
            while let Some(frame) = next_frame(&mut self.frames, &mut on_their_way).await {
                ways.is_open(from, to).await;
                events.received(from, frame);
            }
        };
        tokio::select! {
            // what has arrived already is not reported behind the end
            biased;
            _ = closed.wait_for(|closed| *closed) => {}
            () = arrive => {}
        }
    }
}

/// The frame that arrives next, when it does; none where the other end is gone. None overtakes another one.
async fn next_frame(
    frames: &mut mpsc::Receiver<(Duration, Bytes)>,
    on_their_way: &mut VecDeque<(Instant, Bytes)>,
) -> Option<Bytes> {
    loop {
        let is_due = on_their_way.front().map(|(due, _)| *due);
        let has_room = on_their_way.len() < FRAMES_MAX;
        tokio::select! {
            // the time of one that was sent begins when it is seen here, also while others are on their way
            biased;
            Some((delay, frame)) = frames.recv(), if has_room => {
                let after = on_their_way.back().map(|(due, _)| *due);
                let due = Instant::now() + delay;
                on_their_way.push_back((after.map_or(due, |after| after.max(due)), frame));
            }
            () = sleep_until(is_due.unwrap_or_else(Instant::now)), if is_due.is_some() => break,
            else => break,
        }
    }
    on_their_way.pop_front().map(|(_, frame)| frame)
}
