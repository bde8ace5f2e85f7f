//! A subscriber that panics where a test says so, and scenarios that it is in the way of.

use crate::listener::{Said, several_subscribers};
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Builder, time::timeout};
use tracing::{
    Dispatch, Event, Level, Subscriber, dispatcher,
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt, registry};

/// What it panics at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trigger {
    /// Every event of this level or a worse one.
    Level(Level),
    /// The event with this message.
    Message(&'static str),
    /// The span of this name, as it begins.
    Span(&'static str),
}

#[derive(Clone, Default)]
pub(crate) struct Bomb(Arc<Inner>);

#[derive(Default)]
struct Inner {
    trigger: Mutex<Option<Trigger>>,
    exploded: AtomicUsize,
}

impl Bomb {
    pub(crate) fn arm(&self, trigger: Trigger) {
        *self.0.trigger.lock() = Some(trigger);
    }

    pub(crate) fn disarm(&self) {
        *self.0.trigger.lock() = None;
    }

    pub(crate) fn exploded(&self) -> usize {
        self.0.exploded.load(Ordering::SeqCst)
    }

    fn explode_if(&self, is_meant: impl FnOnce(Trigger) -> bool) {
        let trigger = *self.0.trigger.lock();
        if trigger.is_some_and(is_meant) {
            self.0.exploded.fetch_add(1, Ordering::SeqCst);
            panic!("in the subscriber");
        }
    }
}

impl<S: Subscriber> Layer<S> for Bomb {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let name = attributes.metadata().name();
        self.explode_if(|trigger| matches!(trigger, Trigger::Span(meant) if meant == name));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.explode_if(|trigger| match trigger {
            Trigger::Level(level) => *event.metadata().level() <= level,
            Trigger::Message(meant) => Said::by(event).message() == meant,
            Trigger::Span(_) => false,
        });
    }
}

/// Plays a scenario on a tokio runtime of one thread and on one of several, with a bomb in the log of all of them.
/// Nothing in it may hang.
pub(crate) fn on_both_runtimes<F: Future<Output = ()>>(scenario: impl Fn(Bomb) -> F) {
    several_subscribers();
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let bomb = Bomb::default();
        let log = Dispatch::new(registry().with(bomb.clone()));
        let of_threads = log.clone();
        let forget = move || std::mem::forget(dispatcher::set_default(&of_threads));
        let runtime = builder.worker_threads(2).enable_time().on_thread_start(forget).build();
        let runtime = runtime.unwrap();
        dispatcher::with_default(&log, || {
            let ends = async { timeout(Duration::from_secs(60), scenario(bomb)).await };
            runtime.block_on(ends).expect("nothing hangs");
        });
        runtime.shutdown_background();
    }
}
