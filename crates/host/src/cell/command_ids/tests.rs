use super::*;
use std::collections::BTreeMap;

fn memory<'a>(window: &'a CommandWindow, budget: &'a Arc<IdBudget>, durable: u64) -> Memory<'a> {
    Memory { window, budget, durable: SequenceNr::new(durable), reads_back: false }
}

/// Whatever comes and goes, an id is found exactly if it was not forgotten, the newest first where hashes collide.
#[test]
fn ids_are_found_by_their_hashes_whatever_came_and_went() {
    let mut seed = 7_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let budget = Arc::new(IdBudget::new(usize::MAX));
    let mut ids = CommandIds::default();
    let mut all: BTreeMap<u64, u64> = BTreeMap::new();
    for nr in 1..20_000 {
        let most = [1, 20, 33, 400][(nr / 5_000) as usize % 4];
        let window = CommandWindow::default().with_commands_min(1).with_commands_max(most);
        let hash = next(500);
        ids.remember(hash, SequenceNr::new(nr), None, &memory(&window, &budget, u64::MAX));
        all.insert(nr, hash);
        while all.len() > most {
            all.pop_first();
        }
        let wanted = next(500);
        let same: Vec<_> = all.iter().rev().filter(|(_, hash)| **hash == wanted).collect();
        let mut tried = Vec::new();
        for (nr, _) in same {
            assert_eq!(ids.find(wanted, &tried), Some(SequenceNr::new(*nr)));
            tried.push(SequenceNr::new(*nr));
        }
        assert_eq!(ids.find(wanted, &tried), None);
        assert_eq!(ids.oldest().map(SequenceNr::get), all.keys().next().copied());
    }
    assert!(budget.bytes() > 400 * size_of::<Mark>());
    drop(ids);
    assert_eq!(budget.bytes(), 0);
}

#[test]
fn an_id_whose_command_is_not_durable_is_never_forgotten() {
    let budget = Arc::new(IdBudget::new(0));
    let window = CommandWindow::default().with_commands_min(1).with_commands_max(1);
    let mut ids = CommandIds::default();
    for nr in 1..=50 {
        ids.remember(nr, SequenceNr::new(nr), None, &memory(&window, &budget, 10));
    }
    assert_eq!(ids.find(10, &[]), None);
    assert!((11..=50).all(|nr| ids.find(nr, &[]).is_some()));
}

#[test]
fn what_a_snapshot_carries_and_what_is_put_before_it_are_one_window_again() {
    let budget = Arc::new(IdBudget::new(usize::MAX));
    let window = CommandWindow::default();
    let memory = memory(&window, &budget, u64::MAX);
    let mut ids = CommandIds::default();
    (1..=100).for_each(|nr| ids.remember(nr % 7, SequenceNr::new(2 * nr), None, &memory));
    let stored = ids.to_store(40);
    assert_eq!((stored.marks.len(), stored.forgotten_to.get()), (40, 1));
    let mut restored = CommandIds::default();
    restored.restore(&stored, &budget);
    assert_eq!(restored.oldest(), Some(SequenceNr::new(122)));
    let older =
        (1..=60).map(|nr| Mark { hash: nr % 7, sequence_nr: SequenceNr::new(2 * nr), at: 0 });
    restored.put_before(older.collect(), &memory);
    for hash in 0..8 {
        let mut tried = Vec::new();
        while let Some(found) = ids.find(hash, &tried) {
            assert_eq!(restored.find(hash, &tried), Some(found));
            tried.push(found);
        }
        assert_eq!(restored.find(hash, &tried), None);
    }
}
