use std::sync::Arc;
use tokio::sync::Semaphore;

/// The part of the [room](super::RoomForBytes) for events that wait for consumers or are in flight: for as long as those like.
///
/// No one waits for it. Who waited while it holds something could wait for one who waits for it; and consumers of the user may
/// wait for each other in ways that are not known here. So it is taken where there is some, and who finds none goes on without,
/// as far as its own bounds allow: it holds the events that its consumers ask for, and reads none ahead.
#[derive(Clone, Debug)]
pub(crate) struct RoomToHold {
    /// What all who read share.
    all: Arc<Semaphore>,
    /// How much of that may still be held.
    left: Arc<Semaphore>,
}

/// Room that is taken for what someone holds, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct BytesHeld {
    of: RoomToHold,
    kib: u32,
}

/// Less than this is no room for a page of more than one event.
const PAGE_KIB_MIN: u32 = 16;

impl RoomToHold {
    pub(super) fn new(all: Arc<Semaphore>, kib_max: u32) -> Self {
        Self { all, left: Arc::new(Semaphore::new(kib_max as usize)) }
    }

    /// No room, of which [more](BytesHeld::fit) may be taken.
    pub(crate) fn nothing(&self) -> BytesHeld {
        BytesHeld { of: self.clone(), kib: 0 }
    }

    /// Room for a page of so many bytes, or for a smaller one; none if there is little. Waits for nothing.
    pub(crate) fn take_for_page(&self, bytes: usize) -> Option<BytesHeld> {
        let wanted = kib(bytes);
        let mut held = self.nothing();
        held.take(wanted);
        (held.kib >= wanted.min(PAGE_KIB_MIN)).then_some(held)
    }
}

impl BytesHeld {
    /// How many bytes there is room for.
    pub(crate) fn bytes(&self) -> usize {
        self.kib as usize * 1024
    }

    /// Adds what was taken beside it.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.kib += std::mem::take(&mut other.kib);
    }

    /// Gives back what is more than so many bytes need, or takes what they lack, as far as there is room.
    pub(crate) fn fit(&mut self, bytes: usize) {
        let wanted = if bytes == 0 { 0 } else { kib(bytes) };
        match wanted.checked_sub(self.kib) {
            Some(lacking) => self.take(lacking),
            None => self.give_back(self.kib - wanted),
        }
    }

    fn take(&mut self, kib: u32) {
        let left = self.of.left.available_permits().min(self.of.all.available_permits());
        let kib = kib.min(u32::try_from(left).unwrap_or(u32::MAX));
        if kib == 0 {
            return;
        }
        // what another one takes meanwhile is not there: then it is as if there was none
        let taken = (self.of.left.try_acquire_many(kib), self.of.all.try_acquire_many(kib));
        if let (Ok(of_left), Ok(of_all)) = taken {
            of_left.forget();
            of_all.forget();
            self.kib += kib;
        }
    }

    fn give_back(&mut self, kib: u32) {
        self.kib -= kib;
        self.of.all.add_permits(kib as usize);
        self.of.left.add_permits(kib as usize);
    }
}

impl Drop for BytesHeld {
    fn drop(&mut self) {
        self.give_back(self.kib);
    }
}

/// In which unit room is counted: a count of bytes may be larger than that of a semaphore.
pub(super) fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).clamp(1, u32::MAX >> 4)
}
