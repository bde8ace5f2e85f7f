use actum_persistence::serializer::SizeLimits;

#[test]
fn defaults_are_valid_and_as_documented() {
    let limits = SizeLimits::default();
    assert_eq!(limits.problems(), Vec::<String>::new());
    assert_eq!((limits.payload_bytes_max, limits.metadata_bytes_max), (1_048_576, 16_384));
    assert_eq!(limits.reply_bytes_max, 65_536);
    assert_eq!((limits.append_bytes_max, limits.append_events_max), (4_194_304, 10_000));
}

#[test]
fn all_problems_are_listed_at_once() {
    let limits = SizeLimits::default()
        .with_payload_bytes_max(0)
        .with_metadata_bytes_max((4 << 20) + 1)
        .with_reply_bytes_max(0)
        .with_append_bytes_max(0)
        .with_append_events_max(100_001);
    assert_eq!(
        limits.problems(),
        [
            "`payload_bytes_max` is 0 bytes, it must be 1 byte to 16 MiB",
            "`metadata_bytes_max` is 4,194,305 bytes, it must be 1 byte to 4 MiB",
            "`reply_bytes_max` is 0 bytes, it must be 1 byte to 4 MiB",
            "`append_bytes_max` is 0 bytes, it must be 4,194,305 bytes to 32 MiB",
            "`append_events_max` is 100,001, it must be 1 to 100,000",
        ]
    );
}

#[test]
fn an_append_must_have_room_for_the_largest_event() {
    let event = SizeLimits::default().payload_bytes_max + SizeLimits::default().metadata_bytes_max;
    assert!(SizeLimits::default().with_append_bytes_max(event).problems().is_empty());
    assert_eq!(SizeLimits::default().with_append_bytes_max(event - 1).problems().len(), 1);
}

#[test]
fn absurd_limits_are_refused_without_overflow() {
    let limits = SizeLimits::default()
        .with_payload_bytes_max(usize::MAX)
        .with_metadata_bytes_max(usize::MAX)
        .with_append_bytes_max(usize::MAX)
        .with_append_events_max(usize::MAX);
    assert_eq!(limits.problems().len(), 4);
}
