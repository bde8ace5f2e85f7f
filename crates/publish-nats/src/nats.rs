use crate::{
    NatsSettings, Subject,
    failure::{Failure, of_get_stream},
};
use actum_projection::{Message, PublishError, Publisher, Waves};
use async_nats::{
    HeaderMap,
    connection::State,
    header::{NATS_EXPECTED_STREAM, NATS_MESSAGE_ID},
    jetstream::{
        context::{Context, PublishAckFuture},
        stream,
    },
};
use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};

/// Publishes to a stream of NATS JetStream. See the [crate](crate) for what it guarantees.
#[derive(Clone)]
pub struct Nats {
    context: Context,
    stream: Arc<str>,
    subject: Subject,
    settings: NatsSettings,
}

impl Nats {
    /// Publishes to this stream; `subject` says to which of its subjects.
    #[must_use]
    pub fn new(context: Context, stream: impl Into<Arc<str>>, subject: Subject) -> Self {
        let nats =
            Self { context, stream: stream.into(), subject, settings: NatsSettings::default() };
        nats.settings(NatsSettings::default())
    }

    /// Replaces all settings.
    #[must_use]
    pub fn settings(mut self, settings: NatsSettings) -> Self {
        self.context.set_timeout(settings.ack_timeout);
        self.settings = settings;
        self
    }

    /// Creates the stream with these subjects and this window for duplicates, if there is none of its name; one that is there
    /// stays as it is. Everything else about it, such as how much it keeps and on how many servers, is as NATS has it: that is
    /// for trying out, an operator's own stream is for use.
    ///
    /// # Errors
    /// [`PublishError`] when NATS cannot be reached or refuses it.
    pub async fn create_stream(
        &self,
        subjects: impl IntoIterator<Item = impl Into<String>>,
        duplicate_window: Duration,
    ) -> Result<(), PublishError> {
        let config = stream::Config {
            name: self.stream.to_string(),
            subjects: subjects.into_iter().map(Into::into).collect(),
            duplicate_window,
            ..stream::Config::default()
        };
        let created = self.context.get_or_create_stream(config).await;
        created.map(|_| ()).map_err(PublishError::unavailable)
    }

    /// Sends a message, and says what its acknowledgement is awaited by.
    async fn send(&self, message: &Message, subject: &str) -> Result<PublishAckFuture, Failure> {
        let mut headers = HeaderMap::new();
        for (name, value) in message.headers() {
            headers.insert(name, value);
        }
        headers.insert(NATS_MESSAGE_ID, message_id(&headers));
        headers.insert(NATS_EXPECTED_STREAM, &*self.stream);
        let data = message.data().clone();
        let sending = self.context.publish_with_headers(subject.to_owned(), headers, data);
        sending.await.map_err(|error| Failure::of_publish(&error, subject, &self.stream))
    }

    /// Sends messages together, and waits for their acknowledgements.
    async fn publish_wave(
        &self,
        messages: &[Message],
        wave: Vec<usize>,
        waves: &mut Waves<'_>,
    ) -> Result<(), PublishError> {
        let mut sent = Vec::with_capacity(wave.len());
        for at in wave {
            let subject = match self.subject.of(&messages[at]) {
                Ok(subject) => subject,
                Err(why) => {
                    waves.rejected(at, why);
                    continue;
                }
            };
            match self.send(&messages[at], &subject).await {
                Ok(ack) => sent.push((at, subject, ack)),
                Err(failure) => note(waves, at, failure)?,
            }
        }
        for (at, subject, ack) in sent {
            if let Err(error) = ack.await {
                note(waves, at, Failure::of_publish(&error, &subject, &self.stream))?;
            }
        }
        Ok(())
    }

    /// Nothing is given to a client without a connection: it would keep it until it has one.
    fn check_connected(&self) -> Result<(), PublishError> {
        match self.context.client().connection_state() {
            State::Connected => Ok(()),
            _ => Err(PublishError::unavailable("there is no connection to NATS")),
        }
    }
}

impl Publisher for Nats {
    async fn set_up(&mut self) -> Result<(), PublishError> {
        if self.settings.ack_timeout.is_zero() {
            return Err(PublishError::unavailable("`ack_timeout` is zero: nothing is that fast"));
        }
        self.check_connected()?;
        let found = self.context.get_stream(&*self.stream).await;
        found
            .map(|_| ())
            .map_err(|error| PublishError::unavailable(of_get_stream(&error, &self.stream)))
    }

    async fn publish(&mut self, messages: &[Message]) -> Result<(), PublishError> {
        let mut waves = Waves::new(messages, self.settings.in_flight_max);
        while let Some(wave) = waves.next_wave() {
            self.check_connected()?;
            self.publish_wave(messages, wave, &mut waves).await?;
        }
        waves.finish()
    }

    fn messages_max(&self) -> NonZeroUsize {
        self.settings.in_flight_max
    }
}

/// What the stream knows a message by: source and id, as their headers hold them.
fn message_id(headers: &HeaderMap) -> String {
    let value = |name| headers.get(name).map_or("", |value| value.as_str());
    format!("{}#{}", value("ce-source"), value("ce-id"))
}

/// Goes on in front of a message that was rejected; ends if NATS is not there.
fn note(waves: &mut Waves<'_>, at: usize, failure: Failure) -> Result<(), PublishError> {
    match failure {
        Failure::Rejected(why) => {
            waves.rejected(at, why);
            Ok(())
        }
        Failure::Unavailable(why) => Err(PublishError::unavailable(why)),
    }
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats")
            .field("stream", &self.stream)
            .field("subject", &self.subject)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
