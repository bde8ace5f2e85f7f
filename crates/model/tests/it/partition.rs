use actum_model::{EntityKey, Lane, LaneCount, Partition, PartitionCount, partition_hash};

/// Vectors of an independent implementation: each line is kind, id, hash in hex, partition of 256, of 64, of 1,000.
///
/// Python's `xxhash` 4.1.0 (Yann Collet's C library) wrote them, over ids of every length from 1 to 512 bytes, inputs
/// of every length class of XXH3 (up to 16, 128, 240 bytes, and more), ASCII and other scripts:
/// `h = xxhash.xxh3_64_intdigest(kind.encode() + b"\0" + id.encode())`, and `h * count >> 64`.
/// The file never changes: a journal that exists was placed by it.
const GOLDEN: &str = include_str!("../golden/partition_hash.tsv");

fn vectors() -> impl Iterator<Item = Vec<&'static str>> {
    GOLDEN.lines().filter(|line| !line.starts_with("# ")).map(|line| line.split('\t').collect())
}

fn count(n: u16) -> PartitionCount {
    PartitionCount::new(n).unwrap()
}

#[test]
fn hash_and_partition_are_those_of_the_golden_file() {
    let mut seen = 0;
    for vector in vectors() {
        let [kind, id, hash, of_256, of_64, of_1000] = vector[..] else {
            panic!("no vector: {vector:?}")
        };
        let hash = u64::from_str_radix(hash, 16).unwrap();
        assert_eq!(partition_hash(kind, id), hash, "{kind} {id}");
        let key = EntityKey::new(kind, id).unwrap();
        assert_eq!(key.hash64(), hash, "{kind} {id}");
        for (n, nr) in [(256, of_256), (64, of_64), (1000, of_1000)] {
            let partition = Partition::new(nr.parse().unwrap());
            assert_eq!(Partition::of_hash(hash, count(n)), partition, "{kind} {id} of {n}");
            assert_eq!(key.partition(count(n)), partition, "{kind} {id} of {n}");
        }
        seen += 1;
    }
    assert!(seen >= 1000, "the golden file has only {seen} vectors");
}

#[test]
fn golden_file_covers_every_id_length_and_every_length_class_of_the_hash() {
    let mut ids = vec![false; 513];
    let mut inputs = vec![false; 64 + 1 + 513];
    for vector in vectors() {
        ids[vector[1].len()] = true;
        inputs[vector[0].len() + 1 + vector[1].len()] = true;
    }
    assert!(ids[1..=512].iter().all(|seen| *seen), "an id length is missing");
    assert!(inputs[3..=258].iter().all(|seen| *seen), "an input length is missing");
    assert!(inputs[500..].iter().any(|seen| *seen), "no long input");
    assert!(vectors().any(|v| !v[0].is_ascii()) && vectors().any(|v| !v[1].is_ascii()));
}

#[test]
fn kind_and_id_are_kept_apart() {
    assert_ne!(partition_hash("ab", "c"), partition_hash("a", "bc"));
    assert_ne!(partition_hash("a", "é"), partition_hash("a", "e\u{301}"));
}

#[test]
fn an_input_longer_than_any_valid_key_still_hashes() {
    let (kind, id) = ("k".repeat(65), "i".repeat(513));
    assert_eq!(partition_hash(&kind, &id), partition_hash(&kind, &id));
    assert_ne!(partition_hash(&kind, &id), partition_hash(&kind, &id[1..]));
}

/// Chi-square over `counts`, as many standard deviations above its mean as it is.
fn deviations(counts: &[u32], drawn: u32) -> f64 {
    let expected = f64::from(drawn) / counts.len() as f64;
    let chi: f64 = counts.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
    let freedom = counts.len() as f64 - 1.0;
    (chi - freedom) / (2.0 * freedom).sqrt()
}

#[test]
fn ids_spread_evenly_over_partitions() {
    type Ids = fn(u64) -> String;
    let families: [(&str, Ids); 4] = [
        ("numbers", |n| n.to_string()),
        ("prefixed numbers", |n| format!("acc-{n}")),
        ("hex that counts in its high digits", |n| format!("{:016x}", n << 40)),
        ("one repeated character", |n| "x".repeat(1 + n as usize % 300) + &n.to_string()),
    ];
    for (family, id) in families {
        for n in [64, 256, 1000] {
            let mut counts = vec![0u32; usize::from(n)];
            for i in 0..100_000 {
                let hash = partition_hash("account", &id(i));
                counts[Partition::of_hash(hash, count(n)).index()] += 1;
            }
            let off = deviations(&counts, 100_000);
            assert!(off.abs() < 5.0, "{family} over {n} partitions: {off:.1} deviations off");
        }
    }
}

#[test]
fn every_hash_falls_into_a_partition_and_larger_hashes_into_later_ones() {
    for n in [1, 2, 3, 255, 256, 1000, u16::MAX] {
        assert_eq!(Partition::of_hash(0, count(n)).nr(), 0);
        assert_eq!(Partition::of_hash(u64::MAX, count(n)).nr(), n - 1);
    }
    assert_eq!(Partition::of_hash(1 << 63, count(256)).nr(), 128);
    assert_eq!(Partition::of_hash((1 << 63) - 1, count(256)).nr(), 127);
}

#[test]
fn no_partitions_are_no_count() {
    assert_eq!(PartitionCount::new(0), None);
    assert_eq!(PartitionCount::default().get(), 256);
    let all: Vec<u16> = count(3).iter().map(Partition::nr).collect();
    assert_eq!(all, [0, 1, 2]);
}

#[test]
fn partitions_take_turns_on_lanes() {
    let lanes = LaneCount::new(3).unwrap();
    let of = |nr| Lane::of_partition(Partition::new(nr), lanes).nr();
    assert_eq!([of(0), of(1), of(2), of(3), of(u16::MAX)], [0, 1, 2, 0, 0]);
    assert_eq!(LaneCount::new(0), None);
    assert_eq!(LaneCount::default().iter().collect::<Vec<_>>(), [Lane::new(0)]);
}
