//! What is broken on the side of those who read is found, and called what it is.

use super::{Readers, World, readers::ReaderFlaw, run::attempt};

/// So many seeds are played with each flaw, until it is found.
const SEEDS: u64 = 60;

/// Plays a seed with a flaw; returns what was found.
fn play(seed: u64, flaw: ReaderFlaw) -> Vec<String> {
    let mut world = World::new(seed, false);
    world.readers = Some(Readers::flawed(seed, &world.scene, flaw));
    attempt(world).err().unwrap_or_default()
}

/// Plays seeds until a flaw is found, and called by these words.
fn is_found(flaw: ReaderFlaw, words: &str) {
    let is_called = |found: &Vec<String>| found.iter().any(|what| what.contains(words));
    let is_found = (0..SEEDS).map(|seed| play(seed, flaw)).any(|found| is_called(&found));
    assert!(is_found, "{flaw:?} is not found in {SEEDS} seeds");
}

#[test]
fn nothing_is_found_where_nothing_is_broken() {
    for seed in 0..SEEDS {
        assert_eq!(play(seed, ReaderFlaw::None), Vec::<String>::new(), "seed {seed}");
    }
}

#[test]
fn a_save_that_is_kept_though_its_segment_was_claimed_by_another() {
    is_found(ReaderFlaw::StaleSaveKept, "held by");
}

#[test]
fn an_offset_that_is_saved_over_an_event_that_was_not_handled() {
    is_found(ReaderFlaw::OffsetAhead, "not handled");
}

#[test]
fn events_of_a_parked_entity_that_are_handled_by_the_next_runner() {
    is_found(ReaderFlaw::ParkedForgotten, "held back");
}

#[test]
fn a_claim_within_the_lease_of_another() {
    is_found(ReaderFlaw::ClaimedEarly, "replaces");
}

#[test]
fn an_event_that_is_given_up_without_its_retries() {
    is_found(ReaderFlaw::RetriesSkipped, "is given up after");
}

#[test]
fn rows_without_their_progress() {
    is_found(ReaderFlaw::RowsWithoutProgress, "the journal says");
}

#[test]
fn progress_without_its_rows() {
    is_found(ReaderFlaw::ProgressWithoutRows, "the journal says");
}

#[test]
fn a_lost_announcement_that_stalls() {
    is_found(ReaderFlaw::HeadsNotPolled, "not read up to");
}

#[test]
fn rows_that_a_rewind_leaves() {
    is_found(ReaderFlaw::RowsNotCleared, "the journal says");
}

#[test]
fn segments_that_are_merged_where_they_are() {
    is_found(ReaderFlaw::MergedUnlevelled, "divided at");
}

#[test]
fn a_replay_that_ends_before_what_was_held_back() {
    is_found(ReaderFlaw::ReplayCutOff, "was held back, and is not handled");
}
