//! What only a durable-state entity does.

use super::{outcome::Changed, step::Step};
use actum_model::{DurableState, Handle, Payload};
use std::fmt::Debug;

impl<E, C> Step<E, C>
where
    E: DurableState + Handle<C, Reply: Debug> + Debug,
    C: Payload + Debug,
{
    /// The state is replaced by `expected`.
    ///
    /// # Panics
    /// When the command is rejected, or does anything else.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what is expected reads best without a reference"
    )]
    pub fn then_replaced(mut self, expected: E) -> Self {
        let expected = self.imprint("state", &expected);
        let order = self.subject.rules.order;
        let changed = &self.accepted().changed;
        let Changed::Replaced(state) = changed else {
            let summary = changed.summary();
            self.fail(&format!("expected the state to be replaced, but {summary}"))
        };
        if !state.same(&expected, order) {
            let difference = expected.difference(state, order);
            self.fail(&format!(
                "the new state is not the expected one (- expected, + got){difference}"
            ));
        }
        self
    }

    /// The state is deleted.
    ///
    /// # Panics
    /// When the command is rejected, or does anything else.
    #[track_caller]
    pub fn then_deleted(mut self) -> Self {
        let changed = &self.accepted().changed;
        if !matches!(changed, Changed::Deleted) {
            let summary = changed.summary();
            self.fail(&format!("expected the state to be deleted, but {summary}"));
        }
        self
    }

    /// The state is neither replaced nor deleted.
    ///
    /// # Panics
    /// When the command is rejected and that was not said before, or changes the state.
    #[track_caller]
    pub fn then_unchanged(mut self) -> Self {
        self.settled();
        if let Some(changed) = self.changed().filter(|changed| !matches!(changed, Changed::Nothing))
        {
            let summary = changed.summary();
            self.fail(&format!("expected no change, but {summary}"));
        }
        self
    }
}
