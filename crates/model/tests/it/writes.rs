//! Sequence numbers, revisions and timestamps.

use actum_model::{Revision, SequenceNr, Timestamp};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[test]
fn the_first_event_has_number_1() {
    assert_eq!(SequenceNr::ZERO.next(), SequenceNr::new(1));
    assert_eq!(SequenceNr::default(), SequenceNr::ZERO);
    assert_eq!(SequenceNr::new(7).plus(3).get(), 10);
    assert_eq!(SequenceNr::new(u64::MAX).plus(0).to_string(), u64::MAX.to_string());
}

#[test]
#[should_panic(expected = "fewer than 2^64")]
fn a_sequence_number_does_not_wrap() {
    let _ = SequenceNr::new(u64::MAX).next();
}

#[test]
fn a_revision_and_a_sequence_number_are_one_count() {
    let revision = Revision::new(u64::MAX);
    assert_eq!(Revision::from(SequenceNr::from(revision)), revision);
    assert!(Revision::ZERO.next() > Revision::ZERO);
}

#[test]
fn a_timestamp_counts_microseconds_on_both_sides_of_the_epoch() {
    let at = |time: SystemTime| Timestamp::from(time).as_micros();
    assert_eq!(at(UNIX_EPOCH), 0);
    assert_eq!(at(UNIX_EPOCH + Duration::from_nanos(1_999)), 1);
    assert_eq!(at(UNIX_EPOCH - Duration::from_micros(5)), -5);
}

#[test]
fn an_age_is_never_negative_and_never_overflows() {
    let (past, now) = (Timestamp::from_micros(-3), Timestamp::from_micros(4));
    assert_eq!(now.since(past), Duration::from_micros(7));
    assert_eq!(past.since(now), Duration::ZERO);
    let (first, last) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
    assert!(last.since(first) > Duration::from_secs(1 << 40));
    assert_eq!(first.since(last), Duration::ZERO);
}
