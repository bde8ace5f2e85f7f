use parking_lot::Mutex;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
};

/// How many frames of a peer may be read and not handled: as many as its link has on the way at most, and some more. So what a
/// peer costs in memory is bounded, whatever it sends: 32 times 256 KiB.
pub(super) const FRAMES_READ_MAX: usize = 32;

/// The room for frames of one peer that are read and not handled yet.
#[derive(Debug, Default)]
pub(in crate::transport) struct FrameRoom {
    read: AtomicUsize,
    reader: Mutex<Option<Waker>>,
}

impl FrameRoom {
    /// A frame is about to be read.
    pub(super) fn reading(&self) {
        self.read.fetch_add(1, Ordering::AcqRel);
    }

    /// A frame is handled while this is held.
    pub(super) fn handling(&self) -> impl Drop + use<'_> {
        HandledFrame(self)
    }

    /// Waits for room for one more.
    pub(super) fn poll_room(&self, context: &Context<'_>) -> Poll<()> {
        if self.has_room() {
            return Poll::Ready(());
        }
        *self.reader.lock() = Some(context.waker().clone());
        // it may have come before the waker was there
        if self.has_room() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn has_room(&self) -> bool {
        self.read.load(Ordering::Acquire) < FRAMES_READ_MAX
    }

    fn handled(&self) {
        let before = self.read.fetch_update(Ordering::AcqRel, Ordering::Acquire, |read| {
            // a frame that was not counted is none of the peer's session
            read.checked_sub(1)
        });
        if before.is_ok_and(|before| before >= FRAMES_READ_MAX)
            && let Some(reader) = self.reader.lock().take()
        {
            reader.wake();
        }
    }
}

/// Counts a frame out when it was handled.
struct HandledFrame<'a>(&'a FrameRoom);

impl Drop for HandledFrame<'_> {
    fn drop(&mut self) {
        self.0.handled();
    }
}
