use super::room_to_hold::{RoomToHold, kib};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes that events may take in memory, of all who read through one feed.
///
/// Half of it at most is [held](RoomToHold) by those whose consumers decide for how long; so the other half is always for pages that
/// are on their way, and who waits for room there waits for handlers and never for a consumer.
#[derive(Clone, Debug)]
pub(crate) struct RoomForBytes {
    left: Arc<Semaphore>,
    kib_max: u32,
    held: RoomToHold,
}

impl RoomForBytes {
    pub(crate) fn new(bytes: usize) -> Self {
        let kib_max = kib(bytes);
        let left = Arc::new(Semaphore::new(kib_max as usize));
        let held = RoomToHold::new(Arc::clone(&left), kib_max / 2);
        Self { left, kib_max: kib_max - kib_max / 2, held }
    }

    /// How much room a page may have.
    pub(crate) fn page_bytes_max(&self) -> usize {
        self.kib_max as usize * 1024
    }

    /// Waits until there is room for a page of so many bytes, or of as many as it may have; it is given back when what it returns
    /// is dropped. First come, first served.
    pub(crate) async fn take(&self, bytes: usize) -> OwnedSemaphorePermit {
        let taken = Arc::clone(&self.left).acquire_many_owned(kib(bytes).min(self.kib_max)).await;
        taken.expect("the semaphore is never closed")
    }

    /// What may be held.
    pub(crate) fn held(&self) -> &RoomToHold {
        &self.held
    }
}

#[cfg(test)]
mod tests {
    use super::RoomForBytes;
    use std::time::Duration;
    use tokio::time::timeout;

    const KIB: usize = 1024;

    #[test]
    fn half_of_the_room_is_held_at_most_and_all_of_it_comes_back() {
        let room = RoomForBytes::new(100 * KIB);
        for _ in 0..3 {
            let first = room.held().take_for_page(30 * KIB).unwrap();
            let second = room.held().take_for_page(30 * KIB).unwrap();
            assert_eq!((first.bytes(), second.bytes()), (30 * KIB, 20 * KIB), "what is left");
            assert!(room.held().take_for_page(KIB).is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_on_its_way_never_waits_for_what_is_held() {
        let room = RoomForBytes::new(101 * KIB);
        let mut held = room.held().nothing();
        held.fit(1_000 * KIB);
        assert_eq!(held.bytes(), 50 * KIB);
        let page = timeout(Duration::from_secs(1), room.take(1_000 * KIB)).await;
        assert_eq!(page.unwrap().num_permits(), 51, "as large as a page may be");
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_something_waits_for_no_page() {
        let room = RoomForBytes::new(100 * KIB);
        let page = room.take(50 * KIB).await;
        let other = room.take(45 * KIB).await;
        let mut held = room.held().nothing();
        held.fit(10 * KIB);
        assert_eq!(held.bytes(), 5 * KIB);
        drop((page, other));
        held.fit(10 * KIB);
        assert_eq!(held.bytes(), 10 * KIB);
    }

    #[test]
    fn too_little_room_is_none_for_a_page_and_a_small_page_needs_no_more_than_it_is() {
        let room = RoomForBytes::new(2 * 20 * KIB);
        let first = room.held().take_for_page(5 * KIB).unwrap();
        assert!(room.held().take_for_page(100 * KIB).is_none(), "15 KiB are left");
        assert_eq!(room.held().take_for_page(1).unwrap().bytes(), KIB);
        drop(first);
        assert_eq!(room.held().take_for_page(100 * KIB).unwrap().bytes(), 20 * KIB);
    }

    #[test]
    fn what_is_held_is_made_to_fit_and_put_together() {
        let room = RoomForBytes::new(100 * KIB);
        let mut held = room.held().take_for_page(40 * KIB).unwrap();
        held.fit(3 * KIB + 1);
        assert_eq!(held.bytes(), 4 * KIB);
        held.merge(room.held().take_for_page(46 * KIB).unwrap());
        assert_eq!(held.bytes(), 50 * KIB);
        held.fit(0);
        assert_eq!(held.bytes(), 0);
        drop(held);
        assert_eq!(room.held().take_for_page(50 * KIB).unwrap().bytes(), 50 * KIB);
    }
}
