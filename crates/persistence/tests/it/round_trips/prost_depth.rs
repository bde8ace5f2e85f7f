//! prost encodes messages of any depth, and reads 100 levels.

use actum_model::Codec;
use actum_persistence::codec::Prost;

#[derive(Clone, PartialEq, prost::Message)]
struct Nested {
    #[prost(message, optional, boxed, tag = "1")]
    inner: Option<Box<Nested>>,
    #[prost(string, tag = "2")]
    note: String,
    #[prost(map = "string, message", tag = "3")]
    named: std::collections::HashMap<String, Nested>,
}

fn nested(levels: usize, wrap: fn(Nested) -> Nested) -> Nested {
    (0..levels).fold(Nested { note: "x".into(), ..Nested::default() }, |inner, _| wrap(inner))
}

fn encode(value: &Nested) -> Result<Vec<u8>, String> {
    let mut bytes = b"before".to_vec();
    let encoded = <Prost as Codec<Nested>>::encode(value, &mut bytes);
    let written = bytes.split_off(6);
    assert_eq!(bytes, b"before");
    encoded.map(|()| written).map_err(|error| error.to_string())
}

#[test]
fn what_is_encoded_is_read_back_at_every_depth() {
    let inner: fn(Nested) -> Nested =
        |inner| Nested { inner: Some(inner.into()), ..Nested::default() };
    let named: fn(Nested) -> Nested =
        |inner| Nested { named: [("n".to_owned(), inner)].into(), ..Nested::default() };
    for (wrap, expected) in [(inner, 100), (named, 50)] {
        let mut deepest = 0;
        for levels in 0..110 {
            let value = nested(levels, wrap);
            match encode(&value) {
                Ok(bytes) => {
                    assert_eq!(<Prost as Codec<Nested>>::decode(&bytes).unwrap(), value);
                    assert_eq!(bytes, prost::Message::encode_to_vec(&value));
                    deepest = levels;
                }
                Err(error) => {
                    let bytes = prost::Message::encode_to_vec(&value);
                    assert!(<Prost as Codec<Nested>>::decode(&bytes).is_err(), "{levels}");
                    assert!(error.starts_with("the value cannot be read back: "), "{error}");
                    assert!(error.contains("recursion limit"), "{error}");
                }
            }
        }
        assert_eq!(deepest, expected);
    }
}

#[test]
fn texts_that_look_like_messages_are_no_reason_to_refuse() {
    let look_alike = String::from_utf8(prost::Message::encode_to_vec(&nested(60, |inner| {
        Nested { inner: Some(inner.into()), ..Nested::default() }
    })));
    let Ok(look_alike) = look_alike else { panic!("lengths below 128 are ASCII") };
    let wrap: fn(Nested) -> Nested =
        |inner| Nested { inner: Some(inner.into()), ..Nested::default() };
    let mut value = nested(60, wrap);
    let mut innermost = &mut value;
    while innermost.inner.is_some() {
        innermost = innermost.inner.as_mut().unwrap();
    }
    innermost.note = look_alike;
    encode(&value).unwrap();
}
