use std::time::Duration;

/// Lets changes of one entity gather: they are written when there are enough, or when the oldest has waited enough.
///
/// Off unless set, since writes of different entities gather by themselves, without a timer.
///
/// # Examples
/// ```
/// use actum_runtime::settings::{Batching, EntitySettings};
/// use std::time::Duration;
/// # use actum_model::EventSourced;
/// # fn example<Meter: EventSourced>() -> EntitySettings<Meter> {
///
/// // a meter that is read many times a second: a hundred readings at once, none older than a second
/// EntitySettings::<Meter>::default().with_batching(Batching::new(100, Duration::from_secs(1)))
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Batching {
    pub(crate) threshold: u32,
    pub(crate) flush_window: Duration,
}

impl Batching {
    /// Writes when `threshold` changes are there, at least 1, or when the oldest has waited for `flush_window`, 1
    /// millisecond to 1 minute.
    #[must_use]
    pub fn new(threshold: u32, flush_window: Duration) -> Self {
        Self { threshold, flush_window }
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.threshold == 0 {
            problems.push("the batch threshold must be at least 1".to_owned());
        }
        if self.flush_window < Duration::from_millis(1)
            || self.flush_window > Duration::from_secs(60)
        {
            problems.push(format!(
                "the flush window must be 1 millisecond to 1 minute, not {:?}",
                self.flush_window
            ));
        }
        problems
    }
}
