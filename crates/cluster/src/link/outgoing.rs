//! What is sent to a peer: a pure machine that gathers messages into batches.
//!
//! ```text
//! small messages  ──┐
//!                   ├─> batch n+1 gathers ─> batch n, batch n-1: on their way ─> taken
//! long messages ────┘   (≤ 128 KiB)          (at most `window` of them)
//! ```
//! A batch goes as soon as fewer than `window` are on their way, so a lone message goes at once, and messages gather only while
//! earlier ones are under way. A long message goes in pieces, and each batch has room for one of them beside small messages, so
//! neither waits long for the other.

use super::{LinkRefusal, LinkViolation};
use actum_proto::link::v1::{Batch, Chunk};
use bytes::Bytes;
use std::collections::VecDeque;

/// How much of messages a batch holds at most, with what each of them costs beside its bytes.
pub(super) const BATCH_BYTES_MAX: usize = 128 << 10;

/// The longest message that goes whole, and the longest piece of a longer one.
pub(super) const CHUNK_BYTES_MAX: usize = 64 << 10;

/// What a message costs beside its bytes, in memory and in a batch; so a batch holds at most 2,048 messages.
pub(super) const MESSAGE_OVERHEAD_BYTES: usize = 64;

/// The longest message of which only the latest goes.
const LATEST_BYTES_MAX: usize = 16 << 10;

/// The batches and messages for one peer.
#[derive(Debug)]
pub(super) struct Outgoing {
    buffer_bytes_max: usize,
    message_bytes_max: usize,
    window: usize,
    small: VecDeque<Queued>,
    long: VecDeque<Queued>,
    /// How much of the first long message is in batches already.
    cut_bytes: usize,
    queued_bytes: usize,
    on_their_way: VecDeque<OnItsWay>,
    on_their_way_bytes: usize,
    last_number: u64,
    /// Goes with the next batch, unless a newer one takes its place before.
    latest: Option<Bytes>,
    /// The batch with the one before, until it was taken.
    latest_in: Option<u64>,
}

#[derive(Debug)]
struct Queued {
    ticket: u64,
    message: Bytes,
}

impl Queued {
    fn cost(&self) -> usize {
        cost(self.message.len())
    }
}

/// A batch that the peer has not taken yet.
#[derive(Debug)]
struct OnItsWay {
    number: u64,
    bytes: usize,
}

/// A batch that goes now.
#[derive(Debug)]
pub(super) struct OutBatch {
    pub(super) batch: Batch,
    /// The messages that are complete with it.
    pub(super) tickets: Vec<u64>,
}

fn cost(bytes: usize) -> usize {
    bytes + MESSAGE_OVERHEAD_BYTES
}

impl Outgoing {
    /// Nothing is sent yet. `buffer_bytes_max` bounds what is queued and on its way.
    pub(super) fn new(buffer_bytes_max: usize, message_bytes_max: usize, window: usize) -> Self {
        Self {
            buffer_bytes_max,
            message_bytes_max,
            window,
            small: VecDeque::new(),
            long: VecDeque::new(),
            cut_bytes: 0,
            queued_bytes: 0,
            on_their_way: VecDeque::new(),
            on_their_way_bytes: 0,
            last_number: 0,
            latest: None,
            latest_in: None,
        }
    }

    /// The longest message that goes.
    pub(super) fn set_message_bytes_max(&mut self, bytes: usize) {
        self.message_bytes_max = bytes;
    }

    /// How many batches may be on their way.
    pub(super) fn set_window(&mut self, window: usize) {
        self.window = window;
    }

    pub(super) fn window(&self) -> usize {
        self.window
    }

    /// Queues a message, if there is room for it.
    pub(super) fn push(&mut self, ticket: u64, message: Bytes) -> Result<(), LinkRefusal> {
        if message.len() > self.message_bytes_max {
            return Err(LinkRefusal::TooLong { bytes_max: self.message_bytes_max });
        }
        let queued = Queued { ticket, message };
        if self.buffered_bytes() + queued.cost() > self.buffer_bytes_max {
            return Err(LinkRefusal::Full);
        }
        self.queued_bytes += queued.cost();
        let queue =
            if queued.message.len() > CHUNK_BYTES_MAX { &mut self.long } else { &mut self.small };
        queue.push_back(queued);
        Ok(())
    }

    /// Has a message sent that takes the place of the one before: of those one waits at most, and one is on its way. It counts
    /// against no bound, and nothing is reported of it.
    ///
    /// # Panics
    /// In debug builds, when it is longer than 16 KiB.
    pub(super) fn set_latest(&mut self, message: Bytes) {
        debug_assert!(message.len() <= LATEST_BYTES_MAX);
        self.latest = Some(message);
    }

    /// The next batch, if there is something to send and it may go.
    pub(super) fn next_batch(&mut self) -> Option<OutBatch> {
        let has_latest = self.latest.is_some() && self.latest_in.is_none();
        if self.on_their_way.len() >= self.window || !(self.has_queued() || has_latest) {
            return None;
        }
        let is_busy = !self.on_their_way.is_empty();
        let mut gathered = OutBatchDraft::default();
        self.cut(&mut gathered);
        while let Some(next) = self.small.front()
            && gathered.bytes + next.cost() <= BATCH_BYTES_MAX
            && let Some(queued) = self.small.pop_front()
        {
            self.queued_bytes -= queued.cost();
            gathered.bytes += queued.cost();
            gathered.tickets.push(queued.ticket);
            gathered.messages.push(queued.message);
        }
        if self.small.is_empty() {
            self.cut(&mut gathered);
        }
        self.last_number += 1;
        if has_latest {
            gathered.messages.extend(self.latest.take());
            self.latest_in = Some(self.last_number);
        }
        let OutBatchDraft { messages, chunks, tickets, bytes } = gathered;
        self.on_their_way.push_back(OnItsWay { number: self.last_number, bytes });
        self.on_their_way_bytes += bytes;
        // who sends one now and then needs no answer soon: it comes with what the peer sends next
        let wants_answer =
            has_latest || is_busy || self.on_their_way.len() >= self.window || self.has_queued();
        let batch = Batch { number: self.last_number, wants_answer, messages, chunks };
        Some(OutBatch { batch, tickets })
    }

    /// Adds a piece of the first long message, or its rest, if there is room.
    fn cut(&mut self, gathered: &mut OutBatchDraft) {
        let Some(first) = self.long.front() else { return };
        let total = first.message.len();
        let room = BATCH_BYTES_MAX.saturating_sub(gathered.bytes + MESSAGE_OVERHEAD_BYTES);
        let piece = (total - self.cut_bytes).min(CHUNK_BYTES_MAX).min(room);
        if piece == 0 {
            return;
        }
        let data = first.message.slice(self.cut_bytes..self.cut_bytes + piece);
        gathered.chunks.push(Chunk {
            total_bytes: total as u64,
            offset: self.cut_bytes as u64,
            data,
        });
        gathered.bytes += cost(piece);
        self.cut_bytes += piece;
        self.queued_bytes -= piece;
        if self.cut_bytes == total {
            gathered.tickets.push(first.ticket);
            self.queued_bytes -= MESSAGE_OVERHEAD_BYTES;
            self.cut_bytes = 0;
            self.long.pop_front();
        }
    }

    /// The peer has taken the batches through this number.
    pub(super) fn taken(&mut self, through: u64) -> Result<(), LinkViolation> {
        if through > self.last_number {
            return Err(LinkViolation::NeverSent { sent: self.last_number, got: through });
        }
        self.latest_in = self.latest_in.filter(|number| *number > through);
        while let Some(first) = self.on_their_way.front()
            && first.number <= through
        {
            self.on_their_way_bytes -= first.bytes;
            self.on_their_way.pop_front();
        }
        Ok(())
    }

    /// Begins again on another connection; what is queued goes there. Nothing may be on its way.
    pub(super) fn begin_again(&mut self) {
        // a message of which pieces have gone goes from its start again
        self.queued_bytes += std::mem::take(&mut self.cut_bytes);
        self.on_their_way.clear();
        self.on_their_way_bytes = 0;
        self.last_number = 0;
        self.latest_in = None;
    }

    /// Gives up what is queued: the tickets of what has surely not arrived, since its last piece was not sent.
    pub(super) fn give_up(&mut self) -> Vec<u64> {
        self.begin_again();
        self.latest = None;
        self.queued_bytes = 0;
        self.small.drain(..).chain(self.long.drain(..)).map(|queued| queued.ticket).collect()
    }

    /// Whether something waits to be sent.
    pub(super) fn has_queued(&self) -> bool {
        !self.small.is_empty() || !self.long.is_empty()
    }

    /// The number of the last batch that was sent.
    #[cfg(test)]
    pub(super) fn last_number(&self) -> u64 {
        self.last_number
    }

    /// How many batches are on their way.
    pub(super) fn on_their_way(&self) -> usize {
        self.on_their_way.len()
    }

    /// How much is queued and on its way, in bytes.
    pub(super) fn buffered_bytes(&self) -> usize {
        self.queued_bytes + self.on_their_way_bytes
    }
}

#[derive(Debug, Default)]
struct OutBatchDraft {
    messages: Vec<Bytes>,
    chunks: Vec<Chunk>,
    tickets: Vec<u64>,
    bytes: usize,
}
