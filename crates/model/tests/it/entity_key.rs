use actum_model::{EntityKey, InvalidId, InvalidKey, KIND_BYTES_MAX, check_kind, partition_hash};
use std::collections::{BTreeSet, HashSet};

fn key(kind: &'static str, id: &str) -> EntityKey {
    EntityKey::new(kind, id).unwrap()
}

#[test]
fn a_kind_is_1_to_64_bytes_without_nul() {
    for kind in [String::new(), "k".repeat(65), "é".repeat(33), "a\0b".into()] {
        let error = check_kind(&kind).unwrap_err();
        assert_eq!(EntityKey::new(kind.clone(), "1"), Err(error), "{kind:?}");
    }
    for kind in ["k".repeat(KIND_BYTES_MAX), "é".repeat(32), " ".into()] {
        assert_eq!(check_kind(&kind), Ok(()), "{kind:?}");
    }
    let error = check_kind("a\0b").unwrap_err();
    let message = r"`a\0b` cannot name a kind of entity: it needs 1 to 64 bytes without NUL";
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_key_refuses_what_no_id_may_be() {
    let refused = |id: &str| EntityKey::new("account", id).unwrap_err();
    assert_eq!(refused(""), InvalidKey::Id(InvalidId::Empty));
    assert_eq!(refused("a\0"), InvalidKey::Id(InvalidId::Nul));
    assert_eq!(refused(&"x".repeat(513)), InvalidKey::Id(InvalidId::TooLong { bytes: 513 }));
    assert_eq!(refused("").to_string(), "an entity id must not be empty");
    assert_eq!(key("account", &"x".repeat(512)).id().len(), 512);
}

#[test]
fn keys_are_equal_when_kind_and_id_are() {
    let a = key("account", "1");
    assert_eq!(a, a.clone());
    assert_eq!(a, EntityKey::new(String::from("account"), String::from("1")).unwrap());
    assert_ne!(a, key("account", "2"));
    assert_ne!(a, key("order", "1"));
    assert_ne!(key("ab", "c"), key("a", "bc"));
    assert_eq!(a.hash64(), partition_hash("account", "1"));
}

#[test]
fn keys_are_found_in_maps_and_order_by_kind_then_id() {
    let keys = [key("b", "1"), key("a", "2"), key("a", "10"), key("b", "1")];
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 3);
    let sorted: Vec<_> = keys.iter().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(sorted, [&key("a", "10"), &key("a", "2"), &key("b", "1")]);
}

#[test]
fn a_key_shows_kind_and_id() {
    let key = key("account", "é 1");
    assert_eq!((key.kind(), key.id()), ("account", "é 1"));
    assert_eq!(format!("{key} {key:?}"), "account/é 1 EntityKey(account/é 1)");
}
