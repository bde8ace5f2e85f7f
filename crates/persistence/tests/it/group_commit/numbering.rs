use super::writes::{append_of, machine, state_write, store, to_write, unavailable};
use actum_model::Lane;
use actum_persistence::{
    group_commit::{GroupCommit, GroupCommitSettings, Step, WriterScope},
    store::{EntityAppend, Incarnation, StateWrite},
};

fn first_numbers(batch: &[EntityAppend]) -> Vec<u64> {
    batch.iter().map(|append| append.first_event_nr).collect()
}

#[test]
fn events_are_numbered_one_after_the_other_from_one() {
    let mut machine = machine();
    machine.submit(append_of(1, &[1, 1, 1]), 1);
    machine.submit(append_of(2, &[1]), 2);
    let batch = to_write(&mut machine);
    assert_eq!(first_numbers(&batch), [1, 4]);
    assert_eq!(batch[0].event_id(Incarnation::new(9), 2).nr, 3);
    machine.submit(append_of(3, &[1]), 3);
    store(&mut machine, batch);
    assert_eq!(first_numbers(&to_write(&mut machine)), [5]);
}

#[test]
fn a_number_is_not_used_again_after_a_failure() {
    let mut machine = machine();
    machine.submit(append_of(1, &[1, 1]), 1);
    let batch = to_write(&mut machine);
    machine.finished(batch, Err(unavailable()));
    machine.submit(append_of(1, &[1]), 2);
    assert_eq!(first_numbers(&to_write(&mut machine)), [3]);
}

#[test]
fn lanes_of_one_incarnation_share_no_number() {
    for lane in [0u16, 1, 2, u16::MAX - 1] {
        let settings = GroupCommitSettings::default();
        let mut machine =
            GroupCommit::<EntityAppend, u32>::new(WriterScope::Lane(Lane::new(lane)), &settings);
        machine.submit(append_of(1, &[1]), 1);
        assert_eq!(first_numbers(&to_write(&mut machine)), [u64::from(lane) << 48 | 1]);
    }
}

#[test]
fn a_state_write_uses_one_number() {
    let settings = GroupCommitSettings::default();
    let mut machine = GroupCommit::<StateWrite, u32>::new(WriterScope::States, &settings);
    (0..3).for_each(|id| machine.submit(state_write(id), id));
    let Some(Step::Write(batch)) = machine.next_step() else { panic!("nothing to write") };
    let numbers: Vec<u64> = batch.iter().map(|write| write.write_nr - (65_535 << 48)).collect();
    assert_eq!(numbers, [1, 2, 3]);
}
