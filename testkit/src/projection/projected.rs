use super::projecting::Projecting;
use crate::behaviour::{Verdict, difference};
use std::fmt::Debug;

/// A projection that has handled what was given, or failed to.
#[derive(Debug)]
#[must_use = "it says what came of it by `.then_rows(..)` or `.then_failed(..)`"]
pub struct Projected {
    projecting: Projecting,
    outcome: Result<(), String>,
    is_handled_again: bool,
}

impl Projected {
    pub(super) fn new(
        projecting: Projecting,
        outcome: Result<(), String>,
        is_handled_again: bool,
    ) -> Self {
        Self { projecting, outcome, is_handled_again }
    }

    /// All was handled, and what `read` reads is `expected`; also when everything is handled again, unless that is turned off.
    ///
    /// # Panics
    /// When that is not so.
    pub async fn then_rows<R: PartialEq + Debug>(
        self,
        mut read: impl AsyncFnMut() -> R,
        expected: R,
    ) {
        if let Err(why) = &self.outcome {
            panic!("then rows: not all was handled: {why}");
        }
        check("then rows", &read().await, &expected);
        if !self.is_handled_again {
            return;
        }
        if let Err(why) = self.projecting.again().await {
            panic!("then rows: handled again, it fails (`handled_once` leaves that out): {why}");
        }
        let how = if self.projecting.is_exact {
            "then rows, begun again without any (`handled_once` leaves that out)"
        } else {
            "then rows, when every event has come twice (`handled_once` leaves that out)"
        };
        check(how, &read().await, &expected);
    }

    /// An event was not handled, and `agrees` agrees with the reason: an error of the handler, of a codec, or that it took
    /// too long.
    ///
    /// # Panics
    /// When that is not so.
    #[track_caller]
    pub fn then_failed<V: Verdict>(self, agrees: impl FnOnce(&str) -> V) {
        match &self.outcome {
            Ok(()) => panic!("then failed: everything was handled"),
            Err(why) => {
                assert!(agrees(why).agrees(), "then failed: for another reason: {why}");
            }
        }
    }
}

fn check<R: PartialEq + Debug>(how: &str, rows: &R, expected: &R) {
    if rows != expected {
        let difference = difference(&format!("{expected:#?}"), &format!("{rows:#?}"));
        panic!("{how}: the rows differ (- expected, + there){difference}");
    }
}
