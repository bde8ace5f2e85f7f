use super::{
    Delivered, Subscription, SubscriptionError,
    delivered::DeliveredAt,
    lane_follower::{Demand, LaneFollower, LaneRead, bytes_of},
};
use crate::feed::BytesHeld;
use actum_model::{Lane, Offset, Position};
use actum_persistence::store::JournalEvent;
use std::{sync::Arc, vec};
use tokio::sync::watch;

/// A subscription of which nothing is kept.
pub(super) struct Transient<T> {
    subscription: Subscription<T>,
    follower: LaneFollower,
    /// What is left of a page.
    page: Option<LeftToDeliver>,
    /// Behind the last event that was delivered or skipped.
    offset: Offset,
    ending: watch::Receiver<bool>,
    stopped: Option<Arc<str>>,
}

struct LeftToDeliver {
    lane: Lane,
    events: vec::IntoIter<JournalEvent>,
    read_to: Position,
    /// What those take.
    bytes: usize,
    room: BytesHeld,
}

impl<T: 'static> Transient<T> {
    pub(super) fn new(
        subscription: Subscription<T>,
        follower: LaneFollower,
        offset: Offset,
        ending: watch::Receiver<bool>,
    ) -> Self {
        Self { subscription, follower, page: None, offset, ending, stopped: None }
    }

    pub(super) fn offset(&self) -> &Offset {
        &self.offset
    }

    pub(super) fn is_at_head(&self) -> bool {
        self.follower.is_head(&self.offset)
    }

    pub(super) async fn next(&mut self) -> Result<Option<Delivered<T>>, SubscriptionError> {
        loop {
            if *self.ending.borrow() {
                return Ok(None);
            }
            if let Some(why) = &self.stopped {
                return Err(SubscriptionError::Stopped { why: Arc::clone(why) });
            }
            if let Some(delivered) = self.of_page()? {
                return Ok(Some(delivered));
            }
            let read = tokio::select! {
                biased;
                // without a sender there is no engine any more
                _ = self.ending.wait_for(|ending| *ending) => return Ok(None),
                read = self.follower.next(Demand::Asked) => read,
            };
            match read {
                Ok(Some(LaneRead { lane, page, room })) => {
                    let (bytes, read_to) = (bytes_of(&page.events), page.read_to);
                    let events = page.events.into_iter();
                    self.page = Some(LeftToDeliver { lane, events, read_to, bytes, room });
                }
                Ok(None) => {} // there is always room for what is asked for
                Err(why) => self.stopped = Some(why),
            }
        }
    }

    /// The next event of the page.
    fn of_page(&mut self) -> Result<Option<Delivered<T>>, SubscriptionError> {
        let Some(LeftToDeliver { lane, events, read_to, bytes, room }) = &mut self.page else {
            return Ok(None);
        };
        for event in events {
            *bytes -= event.event.bytes();
            room.fit(*bytes);
            let (position, event_id) = (event.event.position, event.event.event_id);
            self.offset.advance(*lane, position);
            let Some(source) = self.subscription.source_of(&event) else { continue };
            let mapped = source.map(*lane, event).map_err(SubscriptionError::Undecodable)?;
            if let Some(event) = mapped {
                let offset = self.offset.clone();
                let at = DeliveredAt { event_id, lane: *lane, position, offset };
                return Ok(Some(Delivered { event, at, attempt: 1, acks: None }));
            }
        }
        self.offset.advance(*lane, *read_to);
        self.page = None;
        Ok(None)
    }
}
