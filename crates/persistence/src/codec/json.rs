use super::{checked, fingerprint, format::Format, refusal::refused};
use actum_model::{Codec, CodecError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::error::Category;

/// JSON (RFC 8259), compact, in UTF-8: readable by people and by every other tool.
///
/// What it encodes it decodes to the same value, as far as serde shows the value; what would not come back is an error:
/// * a NaN or an infinity, for which JSON has no number ([`Cbor`](super::Cbor) has);
/// * a `Some` that is written like `None`: `Some(None)`, `Some(())`;
/// * values nested more than 127 levels deep;
/// * whatever the type's own `Deserialize` does not take back, such as an `i128` or a map with number keys under
///   `#[serde(flatten)]`, or a skipped field without `#[serde(default)]`.
///
/// That is found out with the first value of each shape on a thread. What depends on the value beyond that is not seen: a
/// `try_from` that refuses some numbers, or an untagged enum whose variants read each other's values.
///
/// Numbers come back as they went in, floats to the last bit.
///
/// # Examples
/// ```
/// use actum_model::{Payload, StoredPayload};
/// use actum_persistence::codec::Json;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Deposited { amount: f64 }
///
/// impl Payload for Deposited {
///     type Codec = Json;
///     const MANIFEST: &'static str = "deposited";
/// }
///
/// let stored = StoredPayload::encode(&Deposited { amount: 5.25 })?;
/// assert_eq!(&stored.bytes[..], br#"{"amount":5.25}"#);
///
/// let error = StoredPayload::encode(&Deposited { amount: f64::NAN }).unwrap_err();
/// assert!(error.to_string().starts_with("`amount` is a float that is not finite"));
/// # Ok::<(), actum_model::CodecError>(())
/// ```
#[derive(Debug)]
pub enum Json {}

impl<T: Serialize + DeserializeOwned + 'static> Codec<T> for Json {
    const NAME: &'static str = "json";

    fn encode(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        checked::encode::<Self, T>(value, out)
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        Self::read(bytes)
    }

    fn fingerprint(value: &T) -> Result<u64, CodecError> {
        fingerprint::content(value)
    }
}

impl Format for Json {
    const HUMAN_READABLE: bool = true;
    const IS_TEXT: bool = true;
    const LEVELS_MAX: u32 = 127;

    fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        serde_json::to_writer(out, value).map_err(CodecError::new)
    }

    fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        serde_json::from_slice(bytes).map_err(|error| match error.classify() {
            // in its own words until it says where
            Category::Data => {
                let (line, column) = (error.line(), error.column());
                let (said, place) = (error.to_string(), format!("at line {line} column {column}"));
                refused(said.strip_suffix(&place).unwrap_or(&said).trim_end(), place)
            }
            _ => CodecError::new(error),
        })
    }
}
