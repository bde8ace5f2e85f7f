use super::{announced::Announced, heads::Heads};
use actum_model::{Lane, Offset};
use actum_persistence::{error_chain::full_text, panics::log_safely, store::EventStore};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

/// How often the store is asked for its heads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Polling {
    /// While something comes that no one in this process has announced.
    pub(super) busy: Duration,
    /// While nothing comes.
    pub(super) idle: Duration,
}

/// How long writes of states that are announced gather before their positions are asked for.
const GATHERING: Duration = Duration::from_millis(5);

/// Keeps the heads of a journal up to date: from what this process commits, and by asking the store.
pub(super) async fn follow_heads(
    events: Arc<dyn EventStore>,
    followed: Announced,
    polling: Polling,
    heads: watch::Sender<Heads>,
) {
    let mut lanes = follow_lanes(&followed, &heads); // its tasks end with this future
    let mut interval = polling.busy;
    let mut has_failed = false;
    let (mut writes, mut said) = (followed.writes(), followed.said());
    // when its last answer came: one that is slow is not asked again at once
    let mut answered = Instant::now();
    loop {
        tokio::select! {
            biased; // what was announced is asked for once, also when it is time to ask
            written = followed.written(writes) => {
                writes = written;
                sleep(GATHERING).await;
            }
            () = sleep_until(answered + interval) => {}
            now_said = followed.said_behind(said) => {
                said = now_said;
                if !followed.is_news(&heads.borrow().offset) {
                    continue;
                }
                // at once where nothing came for a while, and no more often than without it while much comes; what is written
                // here does not wait for that
                tokio::select! {
                    biased;
                    written = followed.written(writes) => {
                        writes = written;
                        sleep(GATHERING).await;
                    }
                    () = sleep_until(answered + polling.busy) => {}
                }
                said = followed.said();
            }
        }
        let before = heads.borrow().offset.clone();
        match events.heads().await {
            Ok(found) if found.positions().len() == before.positions().len() => {
                let doubts = heads.borrow().doubts;
                let is_news = take_in(&heads, &before, &found, std::mem::take(&mut has_failed));
                if heads.borrow().doubts != doubts {
                    lanes.abort_all(); // they may wait behind what is not there any more
                    lanes = follow_lanes(&followed, &heads);
                }
                interval = if is_news { polling.busy } else { (interval * 2).min(polling.idle) };
            }
            Ok(_) => interval = polling.idle,
            Err(error) => {
                has_failed = true;
                log_safely(|| {
                    tracing::debug!(error = full_text(&error), "heads of the journal not read");
                });
                interval = (interval * 2).min(polling.idle);
            }
        }
        answered = Instant::now();
    }
}

/// Takes in what the lanes' writers announce, in a task for each.
fn follow_lanes(followed: &Announced, heads: &watch::Sender<Heads>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for lane in followed.lanes() {
        let (lane, heads) = (Arc::clone(lane), heads.clone());
        let mut known = heads.borrow().offset.position(lane.lane());
        tasks.spawn(async move {
            let mut regressions = lane.regressions();
            loop {
                known = lane.behind(known).await;
                if std::mem::replace(&mut regressions, lane.regressions()) != regressions {
                    heads.send_modify(|heads| heads.doubts += 1);
                }
                advance(&heads, lane.lane(), known);
            }
        });
    }
    tasks
}

fn advance(heads: &watch::Sender<Heads>, lane: Lane, to: actum_model::Position) {
    heads.send_if_modified(|heads| {
        let is_behind = heads.offset.position(lane) < to;
        heads.offset.advance(lane, to);
        is_behind
    });
}

/// Takes in what the store says, which was asked when `before` was known, and may have failed before; says whether something
/// was new.
fn take_in(
    heads: &watch::Sender<Heads>,
    before: &Offset,
    found: &Offset,
    has_failed: bool,
) -> bool {
    let lanes = before.positions().iter().zip(found.positions());
    // an event that was known then is not there now
    let has_regressed = lanes.clone().any(|(before, found)| found < before);
    let mut is_news = false;
    heads.send_if_modified(|heads| {
        if has_regressed {
            heads.doubts += 1;
            heads.offset = found.clone();
            return true;
        }
        let news = heads
            .offset
            .positions()
            .iter()
            .zip(found.positions())
            .any(|(known, found)| known < found);
        for (lane, position) in (0..).map(Lane::new).zip(found.positions()) {
            heads.offset.advance(lane, *position);
        }
        is_news = news;
        // it may have regressed meanwhile, and have grown again
        heads.doubts += u64::from(has_failed);
        news || has_failed
    });
    is_news
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::Position;

    fn offset(positions: [u64; 2]) -> Offset {
        Offset::of_positions(positions.map(Position::new))
    }

    fn taken_in(known: [u64; 2], before: [u64; 2], found: [u64; 2]) -> (bool, Offset, u64) {
        let (heads, _) = watch::channel(Heads { offset: offset(known), doubts: 0 });
        let is_news = take_in(&heads, &offset(before), &offset(found), false);
        let heads = heads.borrow();
        (is_news, heads.offset.clone(), heads.doubts)
    }

    #[test]
    fn a_journal_that_was_not_reached_may_have_become_another_one() {
        let (heads, mut seen) = watch::channel(Heads { offset: offset([5, 5]), doubts: 0 });
        let is_news = take_in(&heads, &offset([5, 5]), &offset([5, 5]), true);
        assert!(!is_news && seen.has_changed().unwrap());
        assert_eq!(seen.borrow_and_update().doubts, 1);
    }

    #[test]
    fn the_store_may_know_more_and_what_was_announced_meanwhile_counts_too() {
        assert_eq!(taken_in([5, 5], [5, 5], [5, 5]), (false, offset([5, 5]), 0));
        assert_eq!(taken_in([5, 5], [5, 5], [7, 5]), (true, offset([7, 5]), 0));
        assert_eq!(taken_in([8, 5], [5, 5], [7, 6]), (true, offset([8, 6]), 0));
        assert_eq!(taken_in([8, 5], [5, 5], [7, 5]), (false, offset([8, 5]), 0));
    }

    #[test]
    fn a_head_in_front_of_one_that_was_known_is_a_journal_that_has_regressed() {
        assert_eq!(taken_in([8, 5], [5, 5], [7, 4]), (false, offset([7, 4]), 1));
    }
}
