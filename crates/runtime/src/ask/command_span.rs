use actum_model::{Entity, EntityKey};
use tracing::Span;

/// One span a command; costs next to nothing when no one listens to `actum::command` at trace.
pub(super) fn command_span<E: Entity>(key: &EntityKey, command: &'static str) -> Span {
    if !tracing::span_enabled!(target: "actum::command", tracing::Level::TRACE) {
        return Span::none(); // a disabled span would still look whether anyone listens through `log`
    }
    tracing::trace_span!(
        target: "actum::command",
        "command",
        kind = E::KIND,
        command,
        entity = key.id(),
        outcome = tracing::field::Empty
    )
}
