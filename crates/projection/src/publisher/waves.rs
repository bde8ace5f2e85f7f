use super::{Message, PublishError};
use std::{collections::HashSet, error::Error, num::NonZeroUsize};

/// Which messages may be under way together: no two of one entity, so that none passes another that is rejected.
///
/// A publisher sends a wave, waits for all of its acknowledgements, and goes on with the next:
/// a message that was rejected ends it behind what stands in front of that message. Pure: it sends nothing itself.
#[derive(Debug)]
pub struct Waves<'a> {
    messages: &'a [Message],
    at_once_max: NonZeroUsize,
    /// What was not sent yet, in order.
    left: Vec<usize>,
    /// Nothing is sent from here on.
    end: usize,
    rejected: Option<PublishError>,
}

impl<'a> Waves<'a> {
    /// Sends `messages`, at most `at_once_max` together.
    #[must_use]
    pub fn new(messages: &'a [Message], at_once_max: NonZeroUsize) -> Self {
        let (left, end) = ((0..messages.len()).collect(), messages.len());
        Self { messages, at_once_max, left, end, rejected: None }
    }

    /// The next messages that may be sent together, by their places among all, in order; none when there is nothing left to
    /// send. All of the wave before are acknowledged or [rejected](Self::rejected) by then.
    #[must_use]
    pub fn next_wave(&mut self) -> Option<Vec<usize>> {
        let (mut wave, mut under_way) = (Vec::new(), HashSet::new());
        self.left.retain(|at| {
            let is_sent = *at < self.end
                && under_way.insert(self.messages[*at].entity())
                && wave.len() < self.at_once_max.get();
            if is_sent {
                wave.push(*at);
            }
            !is_sent
        });
        (!wave.is_empty()).then_some(wave)
    }

    /// Message `at` was rejected: what stands in front of it is still sent, and nothing behind it. Of several the first one
    /// counts.
    pub fn rejected(&mut self, at: usize, source: impl Into<Box<dyn Error + Send + Sync>>) {
        if at < self.end {
            self.end = at;
            self.rejected = Some(PublishError::rejected(at, source));
        }
    }

    /// How it has ended.
    ///
    /// # Errors
    /// The first message that was rejected.
    pub fn finish(self) -> Result<(), PublishError> {
        self.rejected.map_or(Ok(()), Err)
    }
}
