use super::told::refused;
use actum_model::{Codec, CodecError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::error::Category;

/// JSON (RFC 8259), compact, in UTF-8: readable by people and by every other tool.
///
/// Numbers come back as they went in, floats to the last bit. JSON has no NaN and no infinity: they are written as
/// `null`, which no float reads back; a type that may hold them needs [`Cbor`](super::Cbor).
///
/// # Examples
/// ```
/// use actum_model::{Payload, StoredPayload};
/// use actum_persistence::codec::Json;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Deposited { amount: u64 }
///
/// impl Payload for Deposited {
///     type Codec = Json;
///     const MANIFEST: &'static str = "deposited";
/// }
///
/// let stored = StoredPayload::encode(&Deposited { amount: 5 })?;
/// assert_eq!(&stored.bytes[..], br#"{"amount":5}"#);
/// # Ok::<(), actum_model::CodecError>(())
/// ```
#[derive(Debug)]
pub enum Json {}

impl<T: Serialize + DeserializeOwned> Codec<T> for Json {
    const NAME: &'static str = "json";

    fn encode(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        serde_json::to_writer(out, value).map_err(CodecError::new)
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
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
