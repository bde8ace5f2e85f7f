use crate::{
    InvalidLiveEvents, LiveClients, LiveSettings,
    client::Client,
    closing::{CLOSE_STOPPED, close},
    served_kind::{Made, ServedKind},
    wanted::{Wanted, WantedEvents},
};
use actum::{Engine, Entity, Subscription, SubscriptionError};
use actum_persistence::settings_check::SettingsCheck;
use axum::{
    extract::{Query, WebSocketUpgrade},
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, get},
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

/// Events of an engine for clients over WebSocket: whose, and how they are served. See the [crate](crate).
#[derive(Clone)]
#[must_use = "it serves no one before it is a route"]
pub struct LiveEvents {
    engine: Engine,
    source: Arc<str>,
    kinds: BTreeMap<&'static str, ServedKind>,
    settings: Arc<LiveSettings>,
    clients: LiveClients,
}

/// The largest message that a client may send, in bytes: it has nothing to say.
const HEARD_BYTES_MAX: usize = 1 << 10;

impl LiveEvents {
    /// Events of this engine.
    pub fn new(engine: &Engine) -> Self {
        let settings = LiveSettings::default();
        let clients = LiveClients::new(settings.clients_max);
        let (engine, kinds) = (engine.clone(), BTreeMap::new());
        Self { engine, source: "/live".into(), kinds, settings: settings.into(), clients }
    }

    /// Clients may get the events of the entities `E`.
    pub fn from<E: Entity>(mut self) -> Self {
        self.kinds.insert(E::KIND, ServedKind::of::<E>());
        self
    }

    /// The `source` of its events, a URI or a part of one; `/live` unless it is set.
    pub fn source(self, source: impl Into<Arc<str>>) -> Self {
        Self { source: source.into(), ..self }
    }

    /// Replaces all settings.
    pub fn settings(self, settings: LiveSettings) -> Self {
        let clients = LiveClients::new(settings.clients_max);
        Self { settings: settings.into(), clients, ..self }
    }

    /// Those who are connected through the route: once all is set.
    #[must_use]
    pub fn clients(&self) -> LiveClients {
        self.clients.clone()
    }

    /// The route that clients connect to.
    ///
    /// # Errors
    /// [`InvalidLiveEvents`] when settings are out of their bounds, or there is no kind of entities.
    pub fn route<S: Clone + Send + Sync + 'static>(
        self,
    ) -> Result<MethodRouter<S>, InvalidLiveEvents> {
        let mut check = SettingsCheck::new();
        self.settings.check(&mut check);
        if self.kinds.is_empty() {
            check.problem("there is no kind of entities: call `.from::<Entity>()`");
        }
        let problems = check.into_problems();
        if !problems.is_empty() {
            return Err(InvalidLiveEvents { problems });
        }
        let live = Arc::new(self);
        Ok(get(
            async move |headers: HeaderMap, Query(parameters): Query<HashMap<_, _>>, upgrade| {
                let answer = live.answer(&headers, &parameters, upgrade).await;
                answer.unwrap_or_else(|refused| refused)
            },
        ))
    }

    /// Lets a client in, or says why not.
    async fn answer(
        &self,
        headers: &HeaderMap,
        parameters: &HashMap<String, String>,
        upgrade: WebSocketUpgrade,
    ) -> Result<Response, Response> {
        if !self.settings.origins.allow(headers) {
            let why = "pages of this origin may not connect";
            return Err((StatusCode::FORBIDDEN, why).into_response());
        }
        let bad = |why: String| (StatusCode::BAD_REQUEST, why).into_response();
        let wanted = Wanted::read(parameters).map_err(bad)?;
        let subscription = self.subscription(wanted).map_err(bad)?;
        let place = self.clients.enter().ok_or_else(|| self.later("too many clients"))?;
        let consumer = match self.engine.subscribe(subscription).await {
            Ok(consumer) => consumer,
            // a page sees why a socket is closed, and not what a request was answered with
            Err(SubscriptionError::Invalid { problems }) => {
                let (why, within) = (problems.join("; "), self.settings.close_timeout);
                return Ok(upgrade.on_upgrade(async move |socket| {
                    close(socket, CLOSE_STOPPED, &why, within).await;
                    drop(place);
                }));
            }
            Err(error) => return Err(self.later(&error.to_string())),
        };
        let retry = self.retry();
        let client =
            Client::new(self.engine.clone(), Arc::clone(&self.settings), consumer, retry, place);
        let upgrade = upgrade.max_message_size(HEARD_BYTES_MAX).max_frame_size(HEARD_BYTES_MAX);
        Ok(upgrade.on_upgrade(|socket| client.serve(socket)))
    }

    fn subscription(&self, wanted: Wanted) -> Result<Subscription<Made>, String> {
        let kind = |name: &str| {
            self.kinds.get(name).ok_or_else(|| format!("there is no kind `{name}` here"))
        };
        let subscription = Subscription::transient()
            .start_at(wanted.start_at)
            .buffer_bytes(self.settings.buffer_bytes);
        let all = |subscription: Subscription<Made>, kind: &ServedKind| {
            (kind.all)(subscription, Arc::clone(&self.source))
        };
        match wanted.of {
            WantedEvents::All => Ok(self.kinds.values().fold(subscription, all)),
            WantedEvents::Kinds(names) => {
                let add = |subscription, name: &String| Ok(all(subscription, kind(name)?));
                names.iter().try_fold(subscription, add)
            }
            WantedEvents::Entity { kind: name, id } => {
                (kind(&name)?.one)(subscription, Arc::clone(&self.source), &id)
            }
        }
    }

    /// Asks to come back later.
    fn later(&self, why: &str) -> Response {
        let seconds = self.retry().as_secs_f64().ceil().to_string();
        (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, seconds)], why.to_owned()).into_response()
    }

    /// When a client is to come back, some time within the settings.
    fn retry(&self) -> std::time::Duration {
        let (first, last) = (*self.settings.retry.start(), *self.settings.retry.end());
        first + last.saturating_sub(first).mul_f64(fastrand::f64())
    }
}

impl fmt::Debug for LiveEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveEvents")
            .field("source", &self.source)
            .field("kinds", &self.kinds.keys())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
