use super::{BegunMembership, holder, standby::Standby};
use crate::settings::RuntimeSettings;
use actum_model::Timestamp;
use actum_persistence::error_chain::full_text;
use actum_persistence::store::{ClaimError, Incarnation, StoreError, Stores, WriterClaim};
use std::{
    hash::{BuildHasher, RandomState},
    time::SystemTime,
};
use tokio::time::{Instant, sleep_until};

/// The slot that makes an engine the only writer of its journal.
const SLOT: &str = "journal";

/// Takes the writer slot. Where another engine holds it, waits as the settings say, and takes it from a holder that is
/// dead. Gives up waiting when `unwanted` is ready.
///
/// # Errors
/// [`ClaimError::Held`] when the holder is alive, or no one wants the slot any more; [`ClaimError::Store`] when the store
/// fails before it has said who holds the slot, or still fails when the time is over.
pub(super) async fn claim(
    name: &str,
    stores: &Stores,
    settings: &RuntimeSettings,
    unwanted: impl Future<Output = ()>,
) -> Result<BegunMembership, ClaimError> {
    let holder = holder::describe(name, Timestamp::from(SystemTime::now()));
    let lease = settings.writer_lease;
    let mut standby =
        Standby::begin(lease, settings.journal_wait, Instant::now(), seed_of(&holder));
    let mut log = Log { engine: name, holder: None, failing: false };
    let mut unwanted = std::pin::pin!(unwanted);
    loop {
        let asked = Instant::now();
        let replaces = standby.dead_by(asked);
        let claim = WriterClaim { slot: SLOT.to_owned(), holder: holder.clone(), lease, replaces };
        let error = match stores.writers.claim(&claim).await {
            Ok(incarnation) => {
                return Ok(BegunMembership { incarnation, valid_until: asked + lease });
            }
            Err(error) => error,
        };
        let again = match &error {
            ClaimError::Store(failure) if log.holder.is_some() && passes(failure) => {
                standby.again(Instant::now())
            }
            ClaimError::Store(_) => None,
            held => standby.refused(held, Instant::now()),
        };
        let Some(again) = again else { return Err(error) };
        log.waiting(&error);
        // never while a claim is under way: whether it was done would be open
        tokio::select! {
            biased;
            () = &mut unwanted => return Err(error),
            () = sleep_until(again) => {}
        }
    }
}

/// Two claimants have different seeds.
fn seed_of(holder: &str) -> u64 {
    RandomState::new().hash_one(holder)
}

/// Whether a failure of the store says nothing about the next claim. One whose outcome is unknown may have taken the slot:
/// then its holder renews nothing, and is replaced like any that is dead.
fn passes(failure: &StoreError) -> bool {
    matches!(failure, StoreError::Unavailable { .. } | StoreError::OutcomeUnknown { .. })
}

/// What is logged while an engine waits: each holder and each outage once, however often it asks.
struct Log<'a> {
    engine: &'a str,
    holder: Option<Incarnation>,
    failing: bool,
}

impl Log<'_> {
    fn waiting(&mut self, error: &ClaimError) {
        let engine = self.engine;
        match error {
            ClaimError::Held { incarnation, .. } => {
                self.failing = false;
                if self.holder.replace(*incarnation) != Some(*incarnation) {
                    tracing::info!(engine, held = %error, "waiting for the writer slot");
                }
            }
            error => {
                if !std::mem::replace(&mut self.failing, true) {
                    let error = full_text(error);
                    tracing::warn!(
                        engine,
                        error,
                        "the writer slot cannot be claimed, trying again"
                    );
                }
            }
        }
    }
}
