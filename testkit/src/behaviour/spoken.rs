use std::panic::Location;

/// Whether a test has said what it expects of a step. One that never does fails when the step goes.
pub(super) struct Spoken {
    pub(super) what: String,
    at: &'static Location<'static>,
    outcome: String,
    said: bool,
    rejection_expected: bool,
}

impl Spoken {
    pub(super) fn nothing_yet(
        what: String,
        at: &'static Location<'static>,
        outcome: String,
    ) -> Self {
        Self { what, at, outcome, said: false, rejection_expected: false }
    }

    pub(super) fn say(&mut self) {
        self.said = true;
    }

    pub(super) fn expect_rejection(&mut self) {
        self.said = true;
        self.rejection_expected = true;
    }

    pub(super) fn rejection_expected(&self) -> bool {
        self.rejection_expected
    }

    fn complaint(&self) -> String {
        let Self { what, at, outcome, .. } = self;
        format!(
            "{what}: the test does not say what it expects ({at})\n    {outcome}\n    \
             follow it by `then_events`, `then_reply`, `then_rejected` or another `then_…`; \
             `then_accepted` if it only leads somewhere"
        )
    }

    /// The step is over and the next one begins.
    #[track_caller]
    pub(super) fn end(mut self) {
        if !self.said {
            self.said = true; // reported here, not again by `drop`
            panic!("{}", self.complaint());
        }
    }
}

impl Drop for Spoken {
    fn drop(&mut self) {
        // a test that is failing already says why; a second panic would abort it
        if !self.said && !std::thread::panicking() {
            panic!("{}", self.complaint());
        }
    }
}
