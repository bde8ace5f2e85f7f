use crate::{
    CLOSE_SHUTDOWN, CLOSE_SILENT, CLOSE_SLOW, CLOSE_STOPPED, LiveSettings,
    closing::close,
    frames::{self, Hello},
    served_kind::Made,
};
use actum::{
    Consumer, Delivered, Engine, Offset, ReadError, SubscriptionError, Timestamp, store::StoreError,
};
use axum::extract::ws::{Message, WebSocket};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout},
};

/// One client, from its first frame to its last.
pub(crate) struct Client {
    engine: Engine,
    settings: Arc<LiveSettings>,
    consumer: Consumer<Made>,
    /// When it is to come back.
    retry: Duration,
    /// When the last event happened that was sent.
    sent: Option<Timestamp>,
    _place: OwnedSemaphorePermit,
}

/// Why a connection is over.
enum Over {
    /// The client has left.
    Left,
    /// The client is closed with this code and reason.
    Closed(u16, String),
}

impl Client {
    pub(crate) fn new(
        engine: Engine,
        settings: Arc<LiveSettings>,
        consumer: Consumer<Made>,
        retry: Duration,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self { engine, settings, consumer, retry, sent: None, _place: place }
    }

    /// Serves until the connection is over.
    pub(crate) async fn serve(mut self, mut socket: WebSocket) {
        let over = match self.greet(&mut socket).await {
            Ok(()) => self.run(&mut socket).await,
            Err(over) => over,
        };
        if let Over::Closed(code, reason) = over {
            close(socket, code, &reason, self.settings.close_timeout).await;
        }
    }

    async fn greet(&mut self, socket: &mut WebSocket) -> Result<(), Over> {
        let (head, age) = match self.behind().await {
            Ok(known) => known,
            Err(ReadError::Store(
                error @ (StoreError::Corrupt { .. } | StoreError::Invalid { .. }),
            )) => return Err(self.stopped(&error.to_string())),
            // it is away, or the engine shuts down: no reason to give up an offset that is good
            Err(_) => (None, None),
        };
        let hello = frames::hello(&Hello {
            offset: self.consumer.offset(),
            head: head.as_ref(),
            age,
            heartbeat: self.settings.heartbeat,
            silence: self.settings.silence_max,
            retry: self.retry,
        });
        self.send(socket, hello).await
    }

    /// Where the journal ends, and how long ago the first event happened that the client has not got.
    async fn behind(&self) -> Result<(Option<Offset>, Option<Duration>), ReadError> {
        let journal = self.engine.journal();
        let head = journal.heads().await?;
        let offset = self.consumer.offset();
        if *offset == head {
            return Ok((Some(head), Some(Duration::ZERO)));
        }
        // any event, whatever the filter: with that this is one small read, and what there is not is no older
        let one = actum::settings::PageLimit::default().with_events(std::num::NonZeroU32::MIN);
        let first = journal.stored_events().after(offset.clone()).page_limit(one).next().await?;
        let age = first.map_or(Duration::ZERO, |first| now().since(first.timestamp));
        Ok((Some(head), Some(age)))
    }

    async fn run(&mut self, socket: &mut WebSocket) -> Over {
        let (heartbeat, silence) = (self.settings.heartbeat, self.settings.silence_max);
        let mut beats = interval_at(Instant::now() + heartbeat, heartbeat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut silent_at = Instant::now() + silence;
        loop {
            // what a client says first, so that one that is sent a lot is heard; its events last, since there may always be more
            let done = tokio::select! {
                biased;
                heard = socket.recv() => match heard {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Over::Left),
                    Some(Ok(_)) => {
                        silent_at = Instant::now() + silence;
                        Ok(())
                    }
                },
                () = sleep_until(silent_at) => {
                    let why = format!("nothing was heard of the client for {silence:?}");
                    Err(Over::Closed(CLOSE_SILENT, why))
                }
                _ = beats.tick() => self.beat(socket).await,
                next = self.consumer.next() => match next {
                    Ok(Some(delivered)) => self.deliver(socket, delivered).await,
                    Ok(None) => Err(self.shut_down()),
                    Err(SubscriptionError::Undecodable(error)) => {
                        self.send(socket, frames::unreadable(&error.to_string())).await
                    }
                    Err(SubscriptionError::Ended) => Err(self.shut_down()),
                    Err(error) => Err(self.stopped(&error.to_string())),
                },
            };
            if let Err(over) = done {
                return over;
            }
        }
    }

    async fn deliver(
        &mut self,
        socket: &mut WebSocket,
        delivered: Delivered<Made>,
    ) -> Result<(), Over> {
        let frame = match delivered.event() {
            Ok(message) => {
                self.sent = Some(message.recorded().timestamp);
                frames::event(message, delivered.offset())
            }
            Err(why) => frames::unreadable(why),
        };
        self.send(socket, frame).await
    }

    async fn beat(&mut self, socket: &mut WebSocket) -> Result<(), Over> {
        let age = match self.consumer.is_at_head() {
            true => Some(Duration::ZERO),
            false => self.sent.map(|sent| now().since(sent)),
        };
        let frame = frames::heartbeat(self.consumer.offset(), age);
        self.send(socket, frame).await?;
        self.send_in_time(socket, Message::Ping(axum::body::Bytes::new())).await
    }

    async fn send(&self, socket: &mut WebSocket, frame: String) -> Result<(), Over> {
        self.send_in_time(socket, Message::text(frame)).await
    }

    async fn send_in_time(&self, socket: &mut WebSocket, message: Message) -> Result<(), Over> {
        let limit = self.settings.send_timeout;
        match timeout(limit, socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Over::Left),
            Err(_) => {
                let why = format!("the client is too slow: it took no frame within {limit:?}");
                Err(Over::Closed(CLOSE_SLOW, why))
            }
        }
    }

    fn shut_down(&self) -> Over {
        let millis = self.retry.as_millis();
        let reason = format!("the service is shutting down, come back in {millis} ms");
        Over::Closed(CLOSE_SHUTDOWN, reason)
    }

    fn stopped(&self, why: &str) -> Over {
        let offset = self.consumer.offset().to_string();
        Over::Closed(CLOSE_STOPPED, format!("stopped behind {offset}: {why}"))
    }
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}
