use super::{
    recorder::results,
    writer::{lane_writer, store_next},
    writes::{append, machine, store, to_write},
};
use actum_persistence::{group_commit::Step, store::StoreError};
use allocation_counter::measure;
use std::ops::Range;
use tokio::runtime::Builder;

#[test]
fn grouping_allocates_for_each_batch_and_not_for_each_write() {
    let mut machine = machine();
    for round in 0..4 {
        let writes: Vec<_> = (0..1000).map(append).collect();
        let used = measure(|| {
            for (write, ticket) in writes.into_iter().zip(0..) {
                machine.submit(write, ticket);
            }
            let batch = to_write(&mut machine);
            assert_eq!(batch.len(), 1000);
            store(&mut machine, batch);
        });
        assert!(round < 2 || used.count_total <= 4, "{} allocations", used.count_total);
    }
}

#[test]
fn a_small_batch_takes_little_memory() {
    let mut machine = machine();
    for round in 0..4 {
        let write = append(round);
        let used = measure(|| {
            machine.submit(write, round);
            let batch = to_write(&mut machine);
            store(&mut machine, batch);
        });
        assert!(round < 2 || used.bytes_total < 1_000, "{} bytes", used.bytes_total);
    }
}

#[test]
fn a_burst_keeps_its_memory_until_it_is_over_and_not_longer() {
    let mut machine = machine();
    let gathered = measure(|| (0..100_000).for_each(|id| machine.submit(append(id), id)));
    let mut batches = 0;
    let written = measure(|| {
        while let Some(Step::Write(batch)) = machine.next_step() {
            batches += 1;
            store(&mut machine, batch);
        }
    });
    assert_eq!(batches, 100);
    assert!(written.bytes_total < 32 << 20, "{} bytes are moved", written.bytes_total);
    let kept = gathered.bytes_current + written.bytes_current;
    assert!(kept < 4 << 20, "{kept} bytes are kept");
}

#[test]
fn a_refused_batch_leaves_its_memory_to_its_halves() {
    let mut machine = machine();
    (0..1000).for_each(|id| machine.submit(append(id), id));
    let batch = to_write(&mut machine);
    let used = measure(|| {
        machine.finished(batch, Err(StoreError::invalid("no")));
        assert_eq!(to_write(&mut machine).len(), 500);
    });
    assert!(used.count_total <= 4, "{} allocations", used.count_total);
}

#[test]
fn a_writer_gives_the_memory_of_a_burst_back() {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (writer, mut calls, mut notices) = runtime.block_on(async { lane_writer() });
    let mut commit = |ids: Range<u32>| {
        runtime.block_on(async {
            let mut left = ids.len();
            writer.queue().submit(ids.map(|id| (append(id), id)));
            while left > 0 {
                left -= store_next(&mut calls).await.len();
                results(&mut notices).await;
            }
        });
    };
    let used = measure(|| {
        commit(0..100_000);
        (0..3).for_each(|id| commit(id..id + 1));
    });
    assert!(used.bytes_current < 8 << 20, "{} bytes are kept", used.bytes_current);
}
