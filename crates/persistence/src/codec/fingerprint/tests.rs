use super::content;
use std::collections::{BTreeMap, HashMap};

#[derive(serde::Serialize)]
struct Pay {
    to: String,
    amount: Option<u64>,
    tags: HashMap<String, Vec<u8>>,
}

fn pay(amount: Option<u64>, tags: &[(&str, &[u8])]) -> u64 {
    let tags = tags.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec()));
    content(&Pay { to: "a".into(), amount, tags: tags.collect() }).unwrap()
}

#[test]
fn order_of_a_hash_map_has_no_say() {
    // every hash map iterates in an order of its own
    let tags: Vec<_> = (0..20).map(|n| (n.to_string(), vec![n])).collect();
    let tags: Vec<_> = tags.iter().map(|(name, value)| (&**name, &value[..])).collect();
    let first = pay(Some(1), &tags);
    assert!((0..20).all(|_| pay(Some(1), &tags) == first));
}

#[test]
fn other_content_has_another_fingerprint() {
    let tags: &[(&str, &[u8])] = &[("x", &[1]), ("y", &[2])];
    let all = [
        pay(Some(1), tags),
        pay(Some(2), tags),
        pay(None, tags),
        pay(Some(1), &tags[..1]),
        pay(Some(1), &[("x", &[2]), ("y", &[1])]),
        pay(Some(1), &[("x", &[1, 2]), ("y", &[])]),
        pay(Some(1), &[]),
    ];
    for (nr, one) in all.iter().enumerate() {
        assert!(!all[nr + 1..].contains(one), "{nr}");
    }
    assert_ne!(content(&("ab", "c")).unwrap(), content(&("a", "bc")).unwrap());
    assert_ne!(content(&0.0_f64).unwrap(), content(&-0.0_f64).unwrap());
    assert_ne!(content(&vec![vec![1], vec![]]).unwrap(), content(&vec![vec![], vec![1]]).unwrap());
}

#[test]
fn a_fingerprint_is_the_same_for_ever() {
    let tags: BTreeMap<_, _> = [("x", 1_u8), ("y", 2)].into();
    let value = ("text", -5_i16, Some(true), tags, [1.5_f32], 'c', ());
    assert_eq!(content(&value).unwrap(), 12_149_825_827_234_009_798);
}

#[test]
fn a_command_may_get_an_optional_field_another_type_name_and_wider_numbers() {
    #[derive(serde::Serialize)]
    struct PayNow {
        to: String,
        amount: Option<u128>,
        note: Option<String>,
        tags: BTreeMap<String, Vec<u8>>,
    }
    let now = |note: Option<&str>| {
        let (to, amount, note) = ("a".to_owned(), Some(1), note.map(str::to_owned));
        content(&PayNow { to, amount, note, tags: BTreeMap::new() }).unwrap()
    };
    assert_eq!(now(None), pay(Some(1), &[]));
    assert_ne!(now(Some("")), now(None));
}

#[test]
fn variants_are_distinguished_by_what_is_written_of_them() {
    #[derive(serde::Serialize)]
    enum Old {
        Cash,
        Card(u8),
    }
    #[derive(serde::Serialize)]
    enum New {
        Voucher,
        Card(u8),
        Cash,
    }
    assert_eq!(content(&Old::Cash).unwrap(), content(&New::Cash).unwrap());
    assert_eq!(content(&Old::Card(7)).unwrap(), content(&New::Card(7)).unwrap());
    assert_ne!(content(&New::Voucher).unwrap(), content(&New::Cash).unwrap());
    assert_ne!(content(&Old::Card(7)).unwrap(), content(&Old::Card(8)).unwrap());
}
