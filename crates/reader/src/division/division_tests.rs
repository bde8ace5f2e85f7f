use super::{Behind, Division, DivisionStep, NotDivided};
use crate::versions::FollowLimit;
use actum_model::{Lane, LaneCount, Offset, Partition, PartitionCount, Position, Timestamp};
use actum_persistence::{
    progress::{
        Epoch, LastRead, NewProjection, ProjectionId, ReadProgress, Segment, StoredProjection,
        StoredSegment,
    },
    store::{EventId, Incarnation, JournalLayout},
};
use std::num::{NonZeroU16, NonZeroU32};

fn segment(first: u16, last: u16) -> Segment {
    Segment::new(Partition::new(first), Partition::new(last)).unwrap()
}

fn offset<const N: usize>(positions: [u64; N]) -> Offset {
    Offset::of_positions(positions.map(Position::new))
}

fn into(partitions: u16, count: u16) -> Division {
    let partitions = PartitionCount::new(partitions).unwrap();
    Division::into(partitions, NonZeroU16::new(count).unwrap()).unwrap()
}

/// A projection of a journal of eight partitions and some lanes that has come so far.
fn kept<const N: usize>(saved: &[(Segment, [u64; N])]) -> StoredProjection {
    let lanes = LaneCount::new(u16::try_from(N).unwrap()).unwrap();
    let segments = saved.iter().map(|(segment, _)| *segment).collect();
    let mut stored = projection(8, lanes, segments);
    for (one, (_, positions)) in stored.segments.iter_mut().zip(saved) {
        one.progress = ReadProgress::behind(offset(*positions));
    }
    stored
}

fn projection(partitions: u16, lanes: LaneCount, segments: Vec<Segment>) -> StoredProjection {
    let layout = JournalLayout { partitions: PartitionCount::new(partitions).unwrap(), lanes };
    let new = NewProjection {
        id: ProjectionId::new("balances", NonZeroU32::MIN).unwrap(),
        sources: Vec::new(),
        layout,
        segments,
        start: Offset::beginning(lanes),
        live_from: Offset::beginning(lanes),
    };
    StoredProjection::new(new, true)
}

fn event(position: u64) -> LastRead {
    let event_id = EventId { incarnation: Incarnation::new(2), nr: position };
    LastRead { position: Position::new(position), event_id }
}

fn divided(step: Result<DivisionStep, NotDivided>) -> Vec<StoredSegment> {
    let Ok(DivisionStep::Divide { into, .. }) = step else { panic!("{step:?}") };
    into
}

fn behind(segment: Segment, epoch: u64, to: Offset, positions: u64) -> Behind {
    Behind { segment, epoch: Epoch::new(epoch), to, positions }
}

#[test]
fn parts_of_a_segment_are_where_the_whole_was() {
    let mut stored = kept(&[(segment(0, 7), [60])]);
    let whole = &mut stored.segments[0];
    whole.progress.met(Lane::new(0), event(58));
    (whole.epoch, whole.handled, whole.saved_at) = (Epoch::new(3), 50, Timestamp::from_micros(9));
    let step = into(8, 3).next(&stored).unwrap();
    let DivisionStep::Divide { seen, into } = step else { panic!("{step:?}") };
    assert_eq!(seen, [(segment(0, 7), Epoch::new(3))]);
    let segments: Vec<_> = into.iter().map(|one| one.segment).collect();
    assert_eq!(segments, [segment(0, 1), segment(2, 4), segment(5, 7)]);
    for part in &into {
        assert_eq!(
            (&part.progress, part.saved_at),
            (&stored.segments[0].progress, Timestamp::from_micros(9))
        );
    }
    assert_eq!(into.iter().map(|one| one.handled).collect::<Vec<_>>(), [50, 0, 0]);
}

#[test]
fn segments_at_one_place_become_one_that_has_met_the_last_event_of_all() {
    let mut stored = kept(&[(segment(0, 3), [60, 70]), (segment(4, 7), [60, 70])]);
    let [left, right] = &mut stored.segments[..] else { unreachable!() };
    left.progress.met(Lane::new(0), event(57));
    left.progress.met(Lane::new(1), event(70));
    right.progress.met(Lane::new(0), event(59));
    (left.handled, left.saved_at) = (50, Timestamp::from_micros(7));
    (right.handled, right.saved_at) = (u64::MAX, Timestamp::from_micros(9));
    let [whole] = &divided(into(8, 1).next(&stored))[..] else { panic!("one") };
    assert_eq!(whole.progress.to_string(), "60:59@2-59,70:70@2-70");
    assert_eq!((whole.handled, whole.saved_at), (u64::MAX, Timestamp::from_micros(9)));
}

#[test]
fn one_that_is_behind_reads_exactly_as_far_as_the_one_it_is_merged_with() {
    let mut stored = kept(&[(segment(0, 3), [40, 80]), (segment(4, 7), [60, 70])]);
    let expected = DivisionStep::Level(vec![
        behind(segment(0, 3), 0, offset([60, 80]), 20),
        behind(segment(4, 7), 0, offset([60, 80]), 10),
    ]);
    assert_eq!(into(8, 1).next(&stored), Ok(expected));
    stored.segments[0].progress.advance(Lane::new(0), Position::new(60));
    let expected = DivisionStep::Level(vec![behind(segment(4, 7), 0, offset([60, 80]), 10)]);
    assert_eq!(into(8, 1).next(&stored), Ok(expected));
    stored.segments[1].progress.advance(Lane::new(1), Position::new(80));
    let [whole] = &divided(into(8, 1).next(&stored))[..] else { panic!("one") };
    assert_eq!(*whole.progress.offset(), offset([60, 80]));
}

#[test]
fn one_that_is_split_between_two_binds_those_that_become_them() {
    // 0-1, 2-4 and 5-7 become 0-3 and 4-7
    let mut stored = kept(&[(segment(0, 1), [10]), (segment(2, 4), [20]), (segment(5, 7), [30])]);
    let expected = vec![
        behind(segment(0, 1), 0, offset([30]), 20),
        behind(segment(2, 4), 0, offset([30]), 10),
    ];
    assert_eq!(into(8, 2).next(&stored), Ok(DivisionStep::Level(expected)));
    stored.segments.reverse();
    stored
        .segments
        .iter_mut()
        .zip([segment(0, 1), segment(2, 4), segment(5, 7)])
        .for_each(|(one, segment)| one.segment = segment);
    let expected = vec![
        behind(segment(2, 4), 0, offset([30]), 10),
        behind(segment(5, 7), 0, offset([30]), 20),
    ];
    assert_eq!(into(8, 2).next(&stored), Ok(DivisionStep::Level(expected)));
}

#[test]
fn a_lane_in_which_they_have_no_partition_together_binds_no_one() {
    // partition 0 writes to lane 0, and partition 1 to lane 1
    let stored =
        kept(&[(segment(0, 0), [60, 0]), (segment(1, 1), [5, 70]), (segment(2, 7), [60, 9])]);
    let division = Division { into: vec![segment(0, 1), segment(2, 7)] };
    let [merged] = &divided(division.next(&stored))[..] else { panic!("2-7 stays") };
    assert_eq!((merged.segment, merged.progress.offset()), (segment(0, 1), &offset([60, 70])));
    // and those that are only split do not wait for anyone
    let stored = kept(&[(segment(0, 3), [60, 0]), (segment(4, 7), [5, 70])]);
    assert_eq!(divided(into(8, 4).next(&stored)).len(), 4);
}

#[test]
fn segments_that_stay_are_neither_waited_for_nor_touched() {
    let mut stored = kept(&[(segment(0, 3), [10]), (segment(4, 5), [30]), (segment(6, 7), [30])]);
    stored.segments[0].owner = Some("a".into());
    stored.segments[0].stopped = Some("it hurts".into());
    let step = into(8, 2).next(&stored).unwrap();
    let DivisionStep::Divide { seen, into: made } = step else { panic!("{step:?}") };
    let seen: Vec<_> = seen.iter().map(|(segment, _)| *segment).collect();
    assert_eq!(seen, [segment(4, 5), segment(6, 7)]);
    assert_eq!(made[0].segment, segment(4, 7));
    let stored = kept(&[(segment(0, 3), [10]), (segment(4, 7), [30])]);
    assert_eq!(into(8, 2).next(&stored), Ok(DivisionStep::Done));
}

#[test]
fn a_segment_is_taken_from_its_owner_before_it_is_replaced_or_reads_on() {
    let mut stored = kept(&[(segment(0, 3), [10]), (segment(4, 7), [30])]);
    stored.segments[1].owner = Some("it seems to be dead".into());
    stored.segments[1].epoch = Epoch::new(7);
    let expected = DivisionStep::Release(vec![(segment(4, 7), Epoch::new(7))]);
    for count in [1, 4, 8] {
        assert_eq!(into(8, count).next(&stored), Ok(expected.clone()), "{count}");
    }
}

#[test]
fn one_that_has_stopped_is_split_and_not_merged() {
    let mut stored = kept(&[(segment(0, 3), [30]), (segment(4, 7), [30])]);
    stored.segments[1].stopped = Some("it hurts".into());
    let stopped = divided(into(8, 4).next(&stored)).into_iter().map(|one| one.stopped.is_some());
    assert_eq!(stopped.collect::<Vec<_>>(), [false, false, true, true]);
    for count in [1, 3] {
        let refused = into(8, count).next(&stored).unwrap_err();
        assert_eq!(refused.to_string(), "segment 4-7 would be merged, and has stopped: it hurts");
    }
}

#[test]
fn while_it_is_paused_no_segment_reads_on() {
    let mut stored = kept(&[(segment(0, 3), [29]), (segment(4, 7), [30])]);
    stored.is_paused = true;
    assert_eq!(divided(into(8, 4).next(&stored)).len(), 4);
    let refused = into(8, 1).next(&stored).unwrap_err().to_string();
    assert!(
        refused.starts_with("it is paused, and segment 0-3 is 1 positions behind"),
        "{refused}"
    );
    stored.segments[0].progress.advance(Lane::new(0), Position::new(30));
    assert_eq!(divided(into(8, 1).next(&stored)).len(), 1);
}

#[test]
fn one_that_is_far_behind_is_to_catch_up_first() {
    let stored = kept(&[(segment(0, 3), [0]), (segment(4, 7), [100_001])]);
    let refused = into(8, 1).next(&stored).unwrap_err();
    let expected = NotDivided::FarBehind {
        partitions: segment(0, 3).partitions(),
        behind: 100_001,
        behind_max: 100_000,
    };
    assert_eq!(refused, expected);
    let stored = kept(&[(segment(0, 3), [1]), (segment(4, 7), [100_001])]);
    assert!(matches!(into(8, 1).next(&stored), Ok(DivisionStep::Level(_))));
}

#[test]
fn there_are_no_more_segments_than_partitions() {
    let partitions = PartitionCount::new(8).unwrap();
    let divided = |count| Division::into(partitions, NonZeroU16::new(count).unwrap());
    assert_eq!(divided(8).unwrap().count(), 8);
    assert_eq!(divided(9), Err(NotDivided::TooMany { partitions: 8 }));
}

/// Whatever it is divided into, again and again.
#[test]
fn no_division_changes_how_far_a_partition_has_come() {
    for seed in 0..500 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (partitions, lanes) = (rng.u16(1..40), LaneCount::new(rng.u16(1..5)).unwrap());
        let all = PartitionCount::new(partitions).unwrap();
        let count = |rng: &mut fastrand::Rng| NonZeroU16::new(rng.u16(1..=partitions)).unwrap();
        let mut stored = projection(partitions, lanes, Segment::divide(all, count(&mut rng)));
        for _ in 0..20 {
            for one in &mut stored.segments {
                for lane in one.segment.lanes(lanes) {
                    let at =
                        one.progress.offset().position(lane).get() + rng.u64(0..3) * rng.u64(0..30);
                    one.progress.advance(lane, Position::new(at));
                }
                one.handled += 1;
            }
            let mut division = Division::into(all, count(&mut rng)).unwrap();
            if rng.bool() {
                let active = projection(partitions, lanes, Segment::divide(all, count(&mut rng)));
                division = division.within(&FollowLimit::of(&active));
            }
            divide(&mut stored, &division, seed);
            let segments = || stored.segments.iter().map(|one| one.segment);
            assert!(segments().eq(division.into.iter().copied()), "seed {seed}");
        }
    }
}

/// Does what a division says until it is done; checks what it keeps.
fn divide(stored: &mut StoredProjection, division: &Division, seed: u64) {
    let before = positions(stored);
    for turn in 0.. {
        assert!(turn < 3, "seed {seed}: it does not end");
        let handled: u64 = stored.segments.iter().map(|one| one.handled).sum();
        match division.next(stored).unwrap() {
            DivisionStep::Done => break,
            DivisionStep::Release(_) => panic!("seed {seed}: no one owns a segment"),
            DivisionStep::Level(behind) => {
                let at = positions(stored);
                for Behind { segment, to, .. } in behind {
                    let one =
                        stored.segments.iter_mut().find(|one| one.segment == segment).unwrap();
                    for lane in segment.lanes(stored.layout.lanes) {
                        let furthest =
                            at.iter().filter(|(of, _)| *of == lane).map(|(_, at)| *at).max();
                        assert!(
                            to.position(lane) <= furthest.unwrap(),
                            "seed {seed}: no one is there"
                        );
                        one.progress.advance(lane, to.position(lane));
                    }
                }
            }
            DivisionStep::Divide { seen, into } => {
                let at = positions(stored);
                let of = seen.iter().map(|(segment, _)| *segment);
                assert!(Segment::have_same_partitions(of, into.iter().map(|one| one.segment)));
                stored.segments.retain(|one| seen.iter().all(|(seen, _)| *seen != one.segment));
                stored.segments.extend(into);
                stored.segments.sort_by_key(|one| one.segment);
                assert_eq!(positions(stored), at, "seed {seed}");
                let counted: u64 = stored.segments.iter().map(|one| one.handled).sum();
                assert_eq!(counted, handled, "seed {seed}: no event is counted twice");
            }
        }
    }
    for ((lane, before), (_, after)) in before.into_iter().zip(positions(stored)) {
        assert!(before <= after, "seed {seed}: it regresses in lane {lane}");
    }
}

/// The lane of each partition, and how far it has come in it.
fn positions(stored: &StoredProjection) -> Vec<(Lane, Position)> {
    let lanes = stored.layout.lanes;
    let of = |one: &StoredSegment| {
        let offset = one.progress.offset().clone();
        let partitions = one.segment.first().nr()..=one.segment.last().nr();
        partitions.map(move |nr| {
            let lane = Lane::of_partition(Partition::new(nr), lanes);
            (lane, offset.position(lane))
        })
    };
    stored.segments.iter().flat_map(of).collect()
}
