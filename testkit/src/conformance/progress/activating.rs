//! One version of a name is active, and another one takes over.

use super::{
    ProgressFixture,
    sample::{
        TestProjection, assert_stale, is_kept, left, new_projection, offset, progress_at,
        projection_id, right, segment,
    },
};
use actum_model::{Lane, LaneCount, Offset, Position};
use actum_persistence::{
    progress::{
        Activation, Epoch, NewProjection, ProgressChange, ProgressSave, ReadProgress, Segment,
        StoredProjection,
    },
    store::JournalLayout,
};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Two versions of one projection, the first of which is active.
struct Versions {
    former: TestProjection,
    next: TestProjection,
}

impl Versions {
    async fn enter(fixture: &dyn ProgressFixture) -> Self {
        let store = fixture.open().await;
        let former = TestProjection::enter_in(&store, &new_projection("balances", 1)).await;
        let next = TestProjection::enter_in(&store, &new_projection("balances", 2)).await;
        Self { former, next }
    }

    /// The activation of the second version as both are.
    async fn activation(&self) -> Activation {
        Activation::of(&self.next.load().await, Some(&self.former.load().await))
    }

    async fn activate(&self) {
        let activation = self.activation().await;
        self.next.store.activate(&activation).await.expect("nothing has changed");
    }

    /// Has a segment of the active version come so far.
    async fn save(&self, segment: Segment, positions: [u64; 2]) {
        let held = self.former.claim(segment, "a").await;
        let progress = ReadProgress::behind(offset(positions));
        self.former.save(ProgressSave { progress, ..self.former.save_of(&held) }).await;
    }
}

/// It is, and no other of its name; other names keep theirs, and so do versions that have no part in it.
pub async fn an_activated_version_is_the_active_one(fixture: &dyn ProgressFixture) {
    let store = fixture.open().await;
    let mut projections = Vec::new();
    for (name, version) in [("balances", 1), ("balances", 2), ("balances", 3), ("other", 1)] {
        projections.push(TestProjection::enter_in(&store, &new_projection(name, version)).await);
    }
    let [first, second, third, other] = &projections[..] else { unreachable!("four") };
    third.claim(left(), "a").await;
    other.claim(left(), "a").await;
    let beside = (third.everything().await, other.everything().await);
    for (version, former) in [(second, first), (first, second), (second, first)] {
        let activation = Activation::of(&version.load().await, Some(&former.load().await));
        store.activate(&activation).await.expect("nothing has changed");
        assert!(version.load().await.is_active && !former.load().await.is_active);
        assert_eq!((third.everything().await, other.everything().await), beside);
    }
}

/// Nothing else changes: not how far they have come, nor who runs them, nor what has stopped.
pub async fn segments_of_both_versions_get_the_next_epoch_and_no_owner(
    fixture: &dyn ProgressFixture,
) {
    let versions = Versions::enter(fixture).await;
    versions.save(left(), [40, 50]).await;
    let stops = versions.next.claim(right(), "b").await;
    let (store, id) = (&versions.next.store, &versions.next.id);
    store.stop(id, right(), stops.epoch, "it hurts").await.expect("it is its own");
    versions.next.claim(left(), "b").await;
    let mut expected = [versions.former.load().await, versions.next.load().await];
    versions.activate().await;
    for (of, is_active) in expected.iter_mut().zip([false, true]) {
        of.is_active = is_active;
        for segment in &mut of.segments {
            segment.epoch = segment.epoch.next();
            segment.owner = None;
        }
    }
    expected[1].live_from = versions.next.load().await.live_from;
    assert_eq!([versions.former.load().await, versions.next.load().await], expected);
}

/// Lane by lane, the slowest segment decides; and never in front of where it began for the former version.
pub async fn live_begins_where_the_former_version_has_saved(fixture: &dyn ProgressFixture) {
    let versions = Versions::enter(fixture).await;
    let live_from = async |of: &TestProjection| of.load().await.live_from;
    versions.save(left(), [40, 50]).await;
    versions.save(right(), [60, 6]).await;
    versions.activate().await;
    assert_eq!(live_from(&versions.next).await, offset([40, 8]), "it began at 7 and 8");
    assert_eq!(live_from(&versions.former).await, offset([7, 8]));
    // and back: the second one has begun at 3 and 5 and handled nothing, the former one would handle nothing again
    let (next, former) = (versions.next.load().await, versions.former.load().await);
    let back = Activation::of(&former, Some(&next));
    versions.former.store.activate(&back).await.expect("nothing has changed");
    assert_eq!(live_from(&versions.former).await, offset([40, 8]));
}

/// Of a lane, only those segments count that have entities in it.
pub async fn live_begins_behind_the_segments_of_a_lane(fixture: &dyn ProgressFixture) {
    let store = fixture.open().await;
    let lanes = LaneCount::new(2).expect("there is a lane");
    let layout = JournalLayout { lanes, ..JournalLayout::default() };
    let segments = || vec![segment(0, 0), segment(1, 1), segment(2, 255)];
    let enter = async |version| {
        let new = new_projection("balances", version);
        let new = NewProjection { layout, segments: segments(), ..new };
        TestProjection::enter_in(&store, &new).await
    };
    let versions = Versions { former: enter(1).await, next: enter(2).await };
    for (segment, positions) in segments().into_iter().zip([[30, 3], [3, 40], [50, 50]]) {
        versions.save(segment, positions).await;
    }
    versions.activate().await;
    assert_eq!(versions.next.load().await.live_from, offset([30, 40]));
}

/// Of a name without an active version any one becomes it, and live begins where it did.
pub async fn a_version_without_a_former_one_becomes_active(fixture: &dyn ProgressFixture) {
    let Versions { former, next } = Versions::enter(fixture).await;
    former.store.delete(&former.id).await.expect("a projection can be deleted");
    let seen = next.load().await;
    next.store.activate(&Activation::of(&seen, None)).await.expect("nothing has changed");
    let now = next.load().await;
    assert!(now.is_active);
    assert_eq!(now.live_from, seen.live_from);
    assert_eq!(now.segments[0].epoch, seen.segments[0].epoch.next());
}

/// Then nothing is changed. A save is not such a change: it only decides where live begins.
pub async fn an_activation_of_what_has_changed_since_is_stale(fixture: &dyn ProgressFixture) {
    let versions = Versions::enter(fixture).await;
    let Versions { former, next } = &versions;
    let is_stale = async |activation: Activation| {
        let before = (former.everything().await, next.everything().await);
        assert_stale(next.store.activate(&activation).await);
        assert_eq!((former.everything().await, next.everything().await), before);
    };
    let early = versions.activation().await;
    former.claim(right(), "a").await;
    is_stale(early).await;
    let early = versions.activation().await;
    next.claim(left(), "a").await;
    is_stale(early).await;
    let right_now = versions.activation().await;
    is_stale(Activation { seen: right_now.seen[..1].to_vec(), ..right_now.clone() }).await;
    is_stale(Activation { seen: Vec::new(), ..right_now.clone() }).await;
    is_stale(Activation { replaces: None, ..right_now.clone() }).await;
    is_stale(Activation { projection: projection_id("balances", 7), ..right_now.clone() }).await;
    is_stale(Activation { projection: projection_id("other", 2), ..right_now.clone() }).await;
    let mut replaces = right_now.replaces.clone().expect("one is active");
    replaces.seen[1].1 = Epoch::new(replaces.seen[1].1.get() + 1);
    is_stale(Activation { replaces: Some(replaces), ..right_now.clone() }).await;
    let mut replaces = right_now.replaces.clone().expect("one is active");
    replaces.projection = projection_id("balances", 7);
    is_stale(Activation { replaces: Some(replaces), ..right_now.clone() }).await;
    let own = Activation::of(&former.load().await, Some(&former.load().await));
    is_stale(own).await;
    // a save changes no epoch
    let held = former.segment(right()).await;
    former.save(ProgressSave { progress: progress_at(90), ..former.save_of(&held) }).await;
    next.store.activate(&right_now).await.expect("no epoch has changed");
    is_stale(right_now).await;
}

/// Another one has become active meanwhile, or the active one was deleted.
pub async fn an_activation_in_place_of_another_version_is_stale(fixture: &dyn ProgressFixture) {
    let versions = Versions::enter(fixture).await;
    let third = new_projection("balances", 3);
    let third = TestProjection::enter_in(&versions.next.store, &third).await;
    let late = Activation::of(&third.load().await, Some(&versions.former.load().await));
    versions.activate().await;
    assert_stale(third.store.activate(&late).await);
    let late = Activation::of(&third.load().await, Some(&versions.next.load().await));
    third.store.delete(&versions.next.id).await.expect("a projection can be deleted");
    assert_stale(third.store.activate(&late).await);
    assert!(!third.load().await.is_active);
}

/// A version whose journal is divided otherwise is one of another journal.
pub async fn a_version_of_another_journal_is_not_activated(fixture: &dyn ProgressFixture) {
    let store = fixture.open().await;
    let former = TestProjection::enter_in(&store, &new_projection("balances", 1)).await;
    let (layout, none) = (JournalLayout::default(), Offset::beginning(LaneCount::default()));
    let new = NewProjection {
        layout,
        start: none.clone(),
        live_from: none,
        ..new_projection("balances", 2)
    };
    let next = TestProjection::enter_in(&store, &new).await;
    let activation = Activation::of(&next.load().await, Some(&former.load().await));
    assert_stale(store.activate(&activation).await);
    assert!(former.load().await.is_active);
}

/// A save of the former version and an activation meet: live begins behind the save, or the save is stale.
pub async fn a_save_and_an_activation_that_meet_see_each_other(fixture: &dyn ProgressFixture) {
    let versions = Versions::enter(fixture).await;
    let watcher = versions.next.reopen(fixture).await;
    let (mut former, mut next) = (versions.former, versions.next);
    for round in 0..40 {
        let held = former.claim(segment_of(&former).await, "a").await;
        let at = |position| ReadProgress::behind(offset([position, position]));
        former.save(ProgressSave { progress: at(100 + 2 * round), ..former.save_of(&held) }).await;
        let beside = former.claim(right(), "a").await;
        let far = ProgressSave { progress: at(1_000), ..former.save_of(&beside) };
        former.save(far).await;
        let save = ProgressSave { progress: at(101 + 2 * round), ..former.save_of(&held) };
        let activation = Activation::of(&next.load().await, Some(&former.load().await));
        let (saver, switcher) = (former.clone(), Arc::clone(&watcher.store));
        let saving = tokio::spawn(async move {
            is_kept!(saver.store.change(&ProgressChange::Save(save.clone())))
        });
        let switching = tokio::spawn(async move { is_kept!(switcher.activate(&activation)) });
        let is_kept = u64::from(saving.await.expect("it goes through"));
        assert!(switching.await.expect("it goes through"), "no epoch has changed");
        let expected = 100 + 2 * round + is_kept;
        let live_from = next.load().await.live_from;
        assert_eq!(live_from.position(Lane::new(0)), Position::new(expected), "round {round}");
        assert_eq!(former.segment(left()).await.progress, at(expected), "round {round}");
        std::mem::swap(&mut former, &mut next);
    }
}

async fn segment_of(projection: &TestProjection) -> Segment {
    projection.load().await.segments[0].segment
}

/// Two versions that are to take over at once, and one of them by two: one of all is kept.
pub async fn of_many_activations_exactly_one_is_kept(fixture: &dyn ProgressFixture) {
    let stores = [fixture.open().await, fixture.open().await];
    let mut all = Vec::new();
    for version in 1..=3 {
        all.push(TestProjection::enter_in(&stores[0], &new_projection("balances", version)).await);
    }
    for round in 0..20 {
        let mut loaded: Vec<StoredProjection> = Vec::new();
        for one in &all {
            loaded.push(one.load().await);
        }
        let active = loaded.iter().find(|one| one.is_active).expect("one is active");
        let others: Vec<_> = loaded.iter().filter(|one| !one.is_active).collect();
        let mut tasks = JoinSet::new();
        for (nr, other) in others.iter().chain(&others[..1]).enumerate() {
            let activation = Activation::of(other, Some(active));
            let store = Arc::clone(&stores[nr % 2]);
            tasks.spawn(async move { is_kept!(store.activate(&activation)) });
        }
        let kept = tasks.join_all().await.into_iter().filter(|is_kept| *is_kept).count();
        assert_eq!(kept, 1, "round {round}");
        let mut actives = 0;
        for one in &all {
            actives += usize::from(one.load().await.is_active);
        }
        assert_eq!(actives, 1, "round {round}");
    }
}
