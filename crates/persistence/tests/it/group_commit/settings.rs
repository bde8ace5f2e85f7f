use actum_persistence::group_commit::GroupCommitSettings;
use std::time::Duration;

#[test]
fn defaults_are_valid_and_as_documented() {
    let settings = GroupCommitSettings::default();
    assert_eq!(settings.problems(), Vec::<String>::new());
    assert_eq!((settings.batch_events_max, settings.batch_bytes_max), (1_000, 1_048_576));
    assert_eq!(settings.resolve_attempts_max, 10);
    assert_eq!((settings.tail_events_max, settings.tail_bytes_max), (10_000, 8 << 20));
    let backoff = (settings.resolve_backoff_min, settings.resolve_backoff_max);
    assert_eq!(backoff, (Duration::from_millis(50), Duration::from_secs(5)));
}

#[test]
fn all_problems_are_listed_at_once() {
    let settings = GroupCommitSettings::default()
        .with_batch_events_max(0)
        .with_batch_bytes_max(usize::MAX)
        .with_resolve_attempts_max(1_001)
        .with_resolve_backoff_min(Duration::ZERO)
        .with_resolve_backoff_max(Duration::MAX)
        .with_tail_events_max(0)
        .with_tail_bytes_max(1);
    assert_eq!(
        settings.problems(),
        [
            "`batch_events_max` is 0, it must be 1 to 10,000",
            "`batch_bytes_max` is 18,446,744,073,709,551,615 bytes, it must be 1 byte to 16 MiB",
            "`resolve_attempts_max` is 1,001, it must be 1 to 1,000",
            "`resolve_backoff_min` is 0 ms, it must be 1 ms to 1 minute",
            "`resolve_backoff_max` is 18,446,744,073,709,551,615 s, it must be 0 ms to 10 minutes",
            "`tail_events_max` is 0, it must be 1 to 1,000,000",
            "`tail_bytes_max` is 1 byte, it must be 1 KiB to 1 GiB",
        ]
    );
}

#[test]
fn the_longest_backoff_is_no_less_than_the_shortest() {
    let settings = GroupCommitSettings::default().with_resolve_backoff_min(Duration::from_secs(6));
    assert_eq!(settings.problems(), ["`resolve_backoff_max` is 5 s, it must be 6 s to 10 minutes"]);
}

#[test]
fn the_bounds_themselves_are_allowed() {
    let least = GroupCommitSettings::default()
        .with_batch_events_max(1)
        .with_batch_bytes_max(1)
        .with_resolve_attempts_max(1)
        .with_resolve_backoff_min(Duration::from_millis(1))
        .with_resolve_backoff_max(Duration::from_millis(1));
    let most = GroupCommitSettings::default()
        .with_batch_events_max(10_000)
        .with_batch_bytes_max(16 << 20)
        .with_resolve_attempts_max(1_000)
        .with_resolve_backoff_min(Duration::from_mins(1))
        .with_resolve_backoff_max(Duration::from_mins(10));
    for settings in [least, most] {
        assert_eq!(settings.problems(), Vec::<String>::new());
    }
}
