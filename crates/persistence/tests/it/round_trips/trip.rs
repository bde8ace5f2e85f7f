use actum_model::Codec;
use actum_persistence::codec::{Cbor, Json};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// A codec, and the same format without its checks.
pub(crate) trait Checked {
    const NAME: &'static str;
    fn encode<T: Payloadlike>(value: &T) -> Result<Vec<u8>, String>;
    fn decode<T: Payloadlike>(bytes: &[u8]) -> Result<T, String>;
    fn encode_unchecked<T: Serialize>(value: &T) -> Option<Vec<u8>>;
}

pub(crate) trait Payloadlike: Serialize + DeserializeOwned + Debug + 'static {}
impl<T: Serialize + DeserializeOwned + Debug + 'static> Payloadlike for T {}

macro_rules! checked {
    ($($codec:ident $name:literal $unchecked:expr;)*) => { $(
        impl Checked for $codec {
            const NAME: &'static str = $name;
            fn encode<T: Payloadlike>(value: &T) -> Result<Vec<u8>, String> {
                let mut bytes = Vec::new();
                <$codec as Codec<T>>::encode(value, &mut bytes).map_err(|error| error.to_string())?;
                Ok(bytes)
            }
            fn decode<T: Payloadlike>(bytes: &[u8]) -> Result<T, String> {
                <$codec as Codec<T>>::decode(bytes).map_err(|error| error.to_string())
            }
            fn encode_unchecked<T: Serialize>(value: &T) -> Option<Vec<u8>> {
                $unchecked(value)
            }
        }
    )* };
}

checked! {
    Json "json" |value| serde_json::to_vec(value).ok();
    Cbor "cbor" |value| {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).ok().map(|()| bytes)
    };
}

/// Encodes `value`, and holds the codec to its rule from both sides: what it accepts comes back, and what it refuses
/// would not have. Says whether it was accepted.
pub(crate) fn accepts<C: Checked, T: Payloadlike>(value: &T) -> bool {
    let shown = format!("{value:?}");
    let name = C::NAME;
    match C::encode(value) {
        Ok(bytes) => {
            let back = C::decode::<T>(&bytes);
            let back = back.unwrap_or_else(|error| panic!("{name} cannot read {shown}: {error}"));
            assert_eq!(format!("{back:?}"), shown, "{name} brings back another value");
            assert_eq!(
                Some(bytes),
                C::encode_unchecked(value),
                "{name} writes what its format does"
            );
            true
        }
        Err(refusal) => {
            let back = C::encode_unchecked(value).and_then(|bytes| C::decode::<T>(&bytes).ok());
            let back = back.map(|back| format!("{back:?}"));
            assert_ne!(back, Some(shown), "{name} refuses what comes back: {refusal}");
            false
        }
    }
}

/// Why `value` is refused.
pub(crate) fn refusal<C: Checked, T: Payloadlike>(value: &T) -> String {
    assert!(!accepts::<C, T>(value), "{} accepts {value:?}", C::NAME);
    C::encode(value).unwrap_err()
}
