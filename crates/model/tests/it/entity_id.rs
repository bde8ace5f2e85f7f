use actum_model::{EntityId, ID_BYTES_MAX, InvalidId, check_id};
use proptest::prelude::{any, proptest};
use std::fmt::Debug;
use uuid::Uuid;

fn refused<I: EntityId>(text: &str) -> bool {
    matches!(I::from_text(text), Err(InvalidId::Malformed { .. }))
}

fn survives_its_text<I: EntityId + Debug>(id: &I) {
    assert_eq!(&I::from_text(&id.to_text()).unwrap(), id);
}

#[test]
fn an_id_is_1_to_512_bytes_without_nul() {
    assert_eq!(check_id(""), Err(InvalidId::Empty));
    assert_eq!(check_id(&"x".repeat(ID_BYTES_MAX)), Ok(()));
    assert_eq!(check_id(&"x".repeat(513)), Err(InvalidId::TooLong { bytes: 513 }));
    assert_eq!(check_id("\0"), Err(InvalidId::Nul));
    assert_eq!(check_id("acc-1\0"), Err(InvalidId::Nul));
}

#[test]
fn the_length_of_an_id_is_counted_in_bytes() {
    assert_eq!(check_id(&"é".repeat(256)), Ok(()));
    assert_eq!(check_id(&"é".repeat(257)), Err(InvalidId::TooLong { bytes: 514 }));
    assert_eq!(check_id(&"🦀".repeat(128)), Ok(()));
    assert_eq!(check_id(&("🦀".repeat(128) + "x")), Err(InvalidId::TooLong { bytes: 513 }));
}

#[test]
fn unicode_spaces_and_control_characters_are_ids_as_they_are() {
    for text in [" ", "\n", "口座-1", "e\u{301}", "\u{feff}", "a/b", "\u{1}"] {
        assert_eq!(check_id(text), Ok(()), "{text:?}");
        survives_its_text(&text.to_owned());
    }
}

#[test]
fn errors_of_an_id_say_what_is_allowed() {
    let message = |text: &str| check_id(text).unwrap_err().to_string();
    assert_eq!(message(""), "an entity id must not be empty");
    assert_eq!(message("\0"), "an entity id must not contain NUL");
    assert_eq!(message(&"x".repeat(600)), "an entity id has at most 512 bytes, this one has 600");
    let error = u64::from_text("seven").unwrap_err();
    assert_eq!(error.to_string(), "`seven` is not a number of 64 bits");
}

#[test]
fn a_number_has_one_spelling() {
    for text in ["007", "+7", "-7", "-0", "00", " 7", "7 ", "7.0", "", "0x7", "٧", "1_000"] {
        assert!(refused::<u64>(text), "`{text}` was accepted");
    }
    assert!(refused::<u64>("18446744073709551616"), "2^64 was accepted");
    assert_eq!(u64::from_text("18446744073709551615"), Ok(u64::MAX));
    assert_eq!(u64::from_text("0"), Ok(0));
}

#[test]
fn a_uuid_has_one_spelling() {
    let text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let id = Uuid::from_text(text).unwrap();
    assert_eq!(id.to_text(), text);
    let others = [
        text.to_uppercase(),
        text.replace("bb", "Bb"),
        text.replace('-', ""),
        format!("{{{text}}}"),
        format!("urn:uuid:{text}"),
        text[1..].to_owned(),
        format!("{text} "),
        String::new(),
    ];
    for other in others {
        assert!(refused::<Uuid>(&other), "`{other}` was accepted");
    }
}

proptest! {
    #[test]
    fn every_id_survives_its_text(text in any::<String>(), number in any::<u64>(), uuid in any::<u128>()) {
        survives_its_text(&text);
        survives_its_text(&number);
        survives_its_text(&Uuid::from_u128(uuid));
    }

    #[test]
    fn no_text_panics_and_none_is_a_second_spelling(text in "\\PC{0,40}|[0-9+-]{1,21}|[0-9a-fA-F-]{32,38}") {
        if let Ok(id) = u64::from_text(&text) {
            assert_eq!(id.to_text(), text.as_str());
        }
        if let Ok(id) = Uuid::from_text(&text) {
            assert_eq!(id.to_text(), text.as_str());
        }
    }
}
