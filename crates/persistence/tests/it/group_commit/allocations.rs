use super::writes::{append, machine, store, to_write};
use allocation_counter::measure;

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
