/// Says that an effect needs no `.reply(..)` yet: its reply `R` is `()`. Inferred, never written.
///
/// An effect is built without a reply, `()`, and `reply` or `reply_with` give it one. The constructors take this bound
/// instead of naming `()`, so that the compiler can say what is missing where another reply is expected.
#[diagnostic::on_unimplemented(
    message = "the command is answered with `{R}`, and this effect has no reply",
    label = "`.reply(..)` or `.reply_with(..)` is missing behind it",
    note = "add `.reply(value)`, or `.reply_with(|state| ..)` for what the state is after the change",
    note = "a command whose `Handle::Reply` is `()` needs neither"
)]
pub trait Unanswered<R> {
    /// The reply of an effect that was given none.
    fn reply() -> R;
}

#[diagnostic::do_not_recommend]
impl Unanswered<()> for () {
    fn reply() {}
}

/// Keeps `()` from being the only choice, which the compiler would take before it looks at what is expected: it would
/// then speak of mismatched types instead of a reply that is missing.
pub struct Nothing(());

#[diagnostic::do_not_recommend]
impl Unanswered<Nothing> for () {
    fn reply() -> Nothing {
        Nothing(())
    }
}
