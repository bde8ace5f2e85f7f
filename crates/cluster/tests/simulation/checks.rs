//! What must hold of a whole run, by the journal and by what clients have seen.

use crate::{
    entity::{Added, fold},
    happened::{Attempt, Outcome},
    plan::Flaw,
    world::World,
};
use actum_model::{Lane, Position};
use actum_persistence::store::{EventFilter, EventStore, JournalEvent, PageLimit};
use std::collections::BTreeMap;

/// The tags of an entity in the journal, and its digest behind each of them.
#[derive(Default)]
struct Written {
    tags: Vec<u64>,
    digests: Vec<u64>,
}

/// Checks a run; returns a digest of it.
pub(crate) fn check(world: &mut World) -> u64 {
    let mut events = journal(world);
    if world.flaw == Flaw::EventLost && !events.is_empty() {
        events.remove(events.len() / 2);
    }
    if world.flaw == Flaw::FineNodeRemoved {
        world.troubles.clear();
    }
    let mut digest = 0;
    let mut written: BTreeMap<usize, Written> = BTreeMap::new();
    for event in &events {
        check_owner(world, event);
        let Added(tag) = event.event.payload.decode().expect("a tag");
        let entity: usize = event.entity.id()[1..].parse().expect("a number");
        let of = written.entry(entity).or_default();
        let (before, nr) = (of.digests.last().copied().unwrap_or_default(), of.tags.len() + 1);
        if event.event.sequence_nr.get() != nr as u64 {
            world.happened.wrong(format!("{event:?} is number {nr} of its entity"));
        }
        of.tags.push(tag);
        of.digests.push(fold(before, tag));
        digest = fold(digest, tag ^ event.event.event_id.incarnation.get() << 32);
    }
    let attempts = std::mem::take(&mut *world.happened.attempts.lock());
    for entity in 0..world.plan.entities {
        let of: Vec<_> = attempts.iter().filter(|attempt| attempt.entity == entity).collect();
        check_entity(world, entity, &written.remove(&entity).unwrap_or_default(), &of);
    }
    check_removals(world);
    for attempt in &attempts {
        check_attempt(world, attempt);
        let ended = attempt.ended.as_ref();
        let seen = ended.map_or(0, |(at, outcome)| match outcome {
            Outcome::Answered(tags) => at ^ tags.digest,
            Outcome::NotApplied(_) => at ^ 1 << 40,
            Outcome::MaybeApplied(_) => at ^ 1 << 41,
        });
        digest = fold(fold(digest, attempt.begun), seen);
    }
    *world.happened.attempts.lock() = attempts;
    digest
}

fn journal(world: &World) -> Vec<JournalEvent> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let (mut events, mut after) = (Vec::new(), Position::new(0));
        loop {
            let filter = EventFilter::default();
            let read = world.memory.read_lane(Lane::new(0), after, &filter, PageLimit::default());
            let page = read.await.expect("the store in memory answers");
            if page.events.is_empty() {
                return events;
            }
            after = page.read_to;
            events.extend(page.events);
        }
    })
}

/// Who has written an event owned its partition then.
fn check_owner(world: &World, event: &JournalEvent) {
    let (position, by) = (event.event.position, event.event.event_id.incarnation);
    let owners = world.happened.owners.lock();
    let before = owners.iter().rev().find(|change| {
        change.partition == event.partition && change.heads.position(Lane::new(0)) < position
    });
    if before.and_then(|change| change.owner) != Some(by) {
        world.happened.wrong(format!("{by} has written {event:?}, the owner is {before:?}"));
    }
}

/// The history of an entity is linearizable, with the journal as the order of what was written.
fn check_entity(world: &World, entity: usize, written: &Written, attempts: &[&Attempt]) {
    let wrong = |what: String| world.happened.wrong(format!("e{entity}: {what}"));
    let mut places: BTreeMap<u64, usize> = BTreeMap::new();
    for (at, tag) in written.tags.iter().enumerate() {
        if let Some(before) = places.insert(*tag, at + 1) {
            wrong(format!("{tag} is stored twice, as {before} and {}", at + 1));
        }
    }
    // when the first attempt of each tag was begun
    let mut begun: BTreeMap<u64, u64> = BTreeMap::new();
    for attempt in attempts {
        if let Some(tag) = attempt.tag {
            begun.entry(tag).or_insert(attempt.begun);
        }
    }
    // what was seen by whom: (when it was seen, how far)
    let mut seen: Vec<(u64, usize)> = Vec::new();
    for attempt in attempts {
        let Some((ended, Outcome::Answered(tags))) = &attempt.ended else { continue };
        let nr = tags.nr as usize;
        let digest = nr.checked_sub(1).map_or(Some(0), |at| written.digests.get(at).copied());
        if digest != Some(tags.digest) {
            wrong(format!("{attempt:?} is not what the journal says"));
        }
        if attempt.tag.is_some_and(|tag| places.get(&tag) != Some(&nr)) {
            wrong(format!("{attempt:?} is not at its place in the journal"));
        }
        for tag in written.tags.iter().take(nr) {
            if begun.get(tag).is_none_or(|begun| begun > ended) {
                wrong(format!("{attempt:?} shows {tag} before that was sent"));
            }
        }
        seen.push((*ended, nr));
    }
    seen.sort_unstable();
    let known_before = |at: u64| {
        let before = seen.partition_point(|(ended, _)| *ended < at);
        seen[..before].iter().map(|(_, nr)| *nr).max().unwrap_or_default()
    };
    for attempt in attempts {
        let Some((_, Outcome::Answered(tags))) = &attempt.ended else { continue };
        if attempt.tag.is_none() && (tags.nr as usize) < known_before(attempt.begun) {
            let known = known_before(attempt.begun);
            wrong(format!("{attempt:?} is stale: {known} was known when it was sent"));
        }
    }
    for (tag, at) in &places {
        match begun.get(tag) {
            Some(begun) if known_before(*begun) >= *at => {
                wrong(format!("{tag} was written in front of what was seen before it was sent"));
            }
            None => wrong(format!("{tag} was sent by no one")),
            Some(_) => {}
        }
        let denied = |attempt: &&&Attempt| {
            !matches!(&attempt.ended, Some((_, Outcome::NotApplied(_)))) // or it has not ended
        };
        let of_tag = attempts.iter().filter(|attempt| attempt.tag == Some(*tag));
        if of_tag.clone().next().is_some() && of_tag.clone().filter(denied).count() == 0 {
            let of_tag: Vec<_> = of_tag.collect();
            wrong(format!("{tag} is stored, and all who sent it were told otherwise: {of_tag:?}"));
        }
    }
}

/// No one is removed that is well.
fn check_removals(world: &World) {
    for removal in world.happened.removed.lock().iter() {
        let explains =
            |trouble: &crate::world::Trouble| trouble.explains(&removal.node, removal.at);
        if !world.troubles.iter().any(explains) {
            world.happened.wrong(format!("a node that is well was removed: {removal:?}"));
        }
    }
}

/// Where nothing goes wrong every command is answered.
fn check_attempt(world: &World, attempt: &Attempt) {
    if world.plan.is_calm && !matches!(attempt.ended, Some((_, Outcome::Answered(_)))) {
        world.happened.wrong(format!("failed though nothing went wrong: {attempt:?}"));
    }
}
