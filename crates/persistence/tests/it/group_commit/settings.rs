use actum_persistence::group_commit::GroupCommitSettings;
use std::time::Duration;

#[test]
fn defaults_are_valid_and_as_documented() {
    let settings = GroupCommitSettings::default();
    assert_eq!(settings.validate(), Vec::<String>::new());
    assert_eq!((settings.batch_events_max, settings.batch_bytes_max), (1_000, 1_048_576));
    assert_eq!(settings.resolve_attempts_max, 10);
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
        .with_resolve_backoff_max(Duration::MAX);
    assert_eq!(
        settings.validate(),
        [
            "`batch_events_max` is 0, it must be 1 to 10000".to_owned(),
            format!("`batch_bytes_max` is {}, it must be 1 to 16777216", usize::MAX),
            "`resolve_attempts_max` is 1001, it must be 1 to 1000".to_owned(),
            "`resolve_backoff_min` is 0ns, it must be 1ms to 60s".to_owned(),
            format!("`resolve_backoff_max` is {:?}, it must be 0ns to 600s", Duration::MAX),
        ]
    );
}

#[test]
fn the_longest_backoff_is_no_less_than_the_shortest() {
    let settings = GroupCommitSettings::default().with_resolve_backoff_min(Duration::from_secs(6));
    assert_eq!(settings.validate(), ["`resolve_backoff_max` is 5s, it must be 6s to 600s"]);
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
        assert_eq!(settings.validate(), Vec::<String>::new());
    }
}
