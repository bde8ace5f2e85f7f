//! Command ids and metadata.

use actum_model::{CommandId, InvalidCommandId, Metadata, TraceContext};

#[test]
fn a_command_id_is_1_to_128_bytes_without_nul() {
    assert_eq!(CommandId::new(""), Err(InvalidCommandId::Empty));
    assert_eq!(CommandId::new("a\0b"), Err(InvalidCommandId::Nul));
    assert_eq!(CommandId::new("x".repeat(129)), Err(InvalidCommandId::TooLong { bytes: 129 }));
    // 43 characters, 129 bytes
    assert_eq!(CommandId::new("中".repeat(43)), Err(InvalidCommandId::TooLong { bytes: 129 }));
    assert_eq!(CommandId::new("x".repeat(128)).unwrap().as_str().len(), 128);
    assert_eq!(CommandId::new(" é\u{1f642}").unwrap().as_str(), " é\u{1f642}");
}

#[test]
fn command_ids_are_their_text() {
    let id = CommandId::try_from("retry-1").unwrap();
    assert_eq!(id, CommandId::new(String::from("retry-1")).unwrap());
    assert_ne!(id, CommandId::new("Retry-1").unwrap());
    assert_eq!((id.to_string(), format!("{id:?}")), ("retry-1".into(), "\"retry-1\"".into()));
}

#[test]
fn errors_of_a_command_id_say_what_is_allowed() {
    let message = |text: &str| CommandId::new(text).unwrap_err().to_string();
    assert_eq!(message(""), "a command id must not be empty");
    assert_eq!(message("\0"), "a command id must not contain NUL");
    let long = "x".repeat(500);
    assert_eq!(message(&long), "a command id has at most 128 bytes, this one has 500");
}

#[test]
fn metadata_keeps_what_it_is_given() {
    let trace = TraceContext::new("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let trace = trace.unwrap();
    let metadata = Metadata::new()
        .with_command_id(CommandId::new("c").unwrap())
        .with_correlation_id("request-1")
        .with_causation_id("event-1")
        .with_trace(trace.clone());
    assert_eq!(metadata.command_id().map(CommandId::as_str), Some("c"));
    assert_eq!(metadata.correlation_id(), Some("request-1"));
    assert_eq!(metadata.causation_id(), Some("event-1"));
    assert_eq!(metadata.trace(), Some(&trace));
    assert_eq!(metadata, metadata.clone());
}

#[test]
fn metadata_is_empty_until_any_one_thing_is_set() {
    let trace = TraceContext::new("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    assert!(Metadata::new().is_empty());
    assert_eq!(Metadata::new(), Metadata::default());
    let set = [
        Metadata::new().with_command_id(CommandId::new("c").unwrap()),
        Metadata::new().with_correlation_id(""),
        Metadata::new().with_causation_id(""),
        Metadata::new().with_trace(trace.unwrap()),
        Metadata::new().with_header("", ""),
    ];
    for metadata in set {
        assert!(!metadata.is_empty(), "{metadata:?}");
    }
}

#[test]
fn headers_keep_their_order_and_repeat() {
    let metadata =
        Metadata::new().with_header("b", "1").with_header("a", "2").with_header("b", "3");
    let headers: Vec<_> = metadata.headers().collect();
    assert_eq!(headers, [("b", "1"), ("a", "2"), ("b", "3")]);
    assert_eq!((metadata.header("b"), metadata.header("B")), (Some("1"), None));
}
