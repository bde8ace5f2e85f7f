use actum_model::TraceContext;
use proptest::prelude::{ProptestConfig, any, proptest};

const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_traceparent_is_carried_as_it_came() {
    let trace = TraceContext::new(VALID).unwrap();
    assert_eq!((trace.traceparent(), trace.tracestate()), (VALID, None));
    let trace = trace.with_tracestate("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    assert_eq!(trace.tracestate(), Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
    assert_eq!(trace, trace.clone());
}

#[test]
fn anything_else_is_refused() {
    let zeroes = ["0".repeat(32), "0".repeat(16)];
    let refused = [
        String::new(),
        "00".into(),
        VALID.to_uppercase(),
        VALID.replace('-', "_"),
        VALID.replace("00-", "ff-"),
        VALID.replace("00-", "0-"),
        VALID.replace("0af7651916cd43dd8448eb211c80319c", &zeroes[0]),
        VALID.replace("b7ad6b7169203331", &zeroes[1]),
        VALID.replace("0af7", "0ag7"),
        VALID.replace("0af7", "0aé"), // as many bytes, no hex
        format!("{VALID}-00"),
        format!(" {VALID}"),
        format!("{VALID}\n"),
    ];
    for text in refused {
        assert!(TraceContext::new(&text).is_err(), "`{text}` was accepted");
    }
}

#[test]
fn the_error_shows_the_text_without_its_control_characters() {
    let error = TraceContext::new("00-\0\n").unwrap_err();
    assert_eq!(error.to_string(), r"`00-\0\n` is not a W3C traceparent");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn no_text_panics_and_what_is_accepted_is_kept(text in any::<String>()) {
        if let Ok(trace) = TraceContext::new(&text) {
            assert_eq!(trace.traceparent(), text);
        }
    }
}
