use crate::settings::RuntimeSettings;
use actum_persistence::store::{ClaimError, Incarnation, Stores, WriterClaim};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often a slot is claimed at most.
const CLAIMS_MAX: u32 = 4;

/// How long after the end of a lease its slot is claimed: clocks and timers are a little off.
const GRACE: Duration = Duration::from_millis(20);

/// How much later than before a lease that nobody has renewed may seem to end, for the same reason. A holder that is
/// alive moves it by two thirds of its lease, which is 100 milliseconds at least.
const TOLERANCE: Duration = Duration::from_millis(50);

/// A writer slot that was taken.
pub(super) struct Claimed {
    pub(super) incarnation: Incarnation,
    /// Until when it is held unless renewed, by this engine's clock.
    pub(super) valid_until: Instant,
}

/// Takes the writer slot. Where it is held until a lease ends, waits for that once, for one lease at most: a holder that
/// is alive has renewed it by then, and one that is dead has not. Gives up waiting when `unwanted` is ready.
///
/// # Errors
/// [`ClaimError::Held`] when the holder is alive, or nobody wants the slot any more.
pub(super) async fn claim(
    name: &str,
    stores: &Stores,
    settings: &RuntimeSettings,
    unwanted: impl Future<Output = ()>,
) -> Result<Claimed, ClaimError> {
    let holder = format!("engine `{name}`, process {}", std::process::id());
    let claim =
        WriterClaim { slot: settings.writer_slot.clone(), holder, lease: settings.writer_lease };
    let mut unwanted = std::pin::pin!(unwanted);
    let mut awaited = None;
    for nr in 1.. {
        let asked = Instant::now();
        let held = match stores.writers.claim(&claim).await {
            Ok(incarnation) => {
                return Ok(Claimed { incarnation, valid_until: asked + claim.lease });
            }
            Err(held @ ClaimError::Held { .. }) if nr < CLAIMS_MAX => held,
            Err(error) => return Err(error),
        };
        let Some(end) = worth_waiting_for(&held, asked, awaited, claim.lease) else {
            return Err(held);
        };
        if awaited.replace(end).is_none() {
            tracing::info!(engine = name, %held, "waiting for the end of the writer's lease");
        }
        // never while a claim is under way: whether it was done would be open
        tokio::select! {
            biased;
            () = &mut unwanted => return Err(held),
            () = sleep_until(end + GRACE) => {}
        }
    }
    unreachable!("the last claim is final")
}

/// When the lease ends of whoever holds the slot, if that is to be waited for: it is a lease like ours, and was not
/// renewed since its end was awaited.
fn worth_waiting_for(
    held: &ClaimError,
    asked: Instant,
    awaited: Option<Instant>,
    lease: Duration,
) -> Option<Instant> {
    let ClaimError::Held { expires_in: Some(left), .. } = held else { return None };
    let renewed = awaited.is_some_and(|awaited| asked + *left > awaited + TOLERANCE);
    (!renewed && *left <= lease).then(|| Instant::now() + *left)
}
