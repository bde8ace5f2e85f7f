//! Which handles renew for each other.

use actum_persistence::progress::{ExactTarget, KeepsProgress};
use actum_store_memory::{MemoryStore, MemoryTarget};

#[test]
fn clones_of_a_handle_are_one_place_and_other_handles_are_not() {
    let of = |target: &MemoryTarget| target.progress().place();
    let target = MemoryTarget::new();
    assert!(of(&target).is_some());
    assert_eq!(of(&target), of(&target.clone()));
    assert_ne!(of(&target), of(&target.reopen()), "each is closed by itself");
    assert_ne!(of(&target), of(&MemoryTarget::new()));
    let store = MemoryStore::new();
    assert_ne!(store.progress().place(), store.progress().place(), "they are handles of their own");
}
