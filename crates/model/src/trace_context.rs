/// The W3C trace context of a caller (<https://www.w3.org/TR/trace-context/>), carried as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    traceparent: Box<str>,
    tracestate: Option<Box<str>>,
}

impl TraceContext {
    /// Checks a `traceparent` header and keeps it: `00-<32 hex>-<16 hex>-<2 hex>`, lower case, ids not all zero.
    ///
    /// # Errors
    /// [`InvalidTraceContext`] when it has another form.
    pub fn new(traceparent: &str) -> Result<Self, InvalidTraceContext> {
        let invalid =
            || InvalidTraceContext { traceparent: traceparent.escape_debug().to_string() };
        let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let parts: Vec<&str> = traceparent.split('-').collect();
        let [version, trace, span, flags] = parts[..] else { return Err(invalid()) };
        let lengths = (version.len(), trace.len(), span.len(), flags.len()) == (2, 32, 16, 2);
        let named = trace.bytes().any(|b| b != b'0') && span.bytes().any(|b| b != b'0');
        if !lengths || !named || version == "ff" || !parts.into_iter().all(hex) {
            return Err(invalid());
        }
        Ok(Self { traceparent: traceparent.into(), tracestate: None })
    }

    /// Adds the `tracestate` header.
    #[must_use]
    pub fn with_tracestate(mut self, tracestate: impl Into<Box<str>>) -> Self {
        self.tracestate = Some(tracestate.into());
        self
    }

    /// The `traceparent` header.
    #[must_use]
    pub fn traceparent(&self) -> &str {
        &self.traceparent
    }

    /// The `tracestate` header, if there is one.
    #[must_use]
    pub fn tracestate(&self) -> Option<&str> {
        self.tracestate.as_deref()
    }
}

/// A text that is not a `traceparent`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{traceparent}` is not a W3C traceparent")]
pub struct InvalidTraceContext {
    traceparent: String,
}
