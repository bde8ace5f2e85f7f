use super::told::refused;
use actum_model::{Codec, CodecError};
use ciborium::de::Error;
use serde::{Serialize, de::DeserializeOwned};

/// CBOR (RFC 8949) with named fields: a smaller JSON that also holds byte strings and every float.
#[derive(Debug)]
pub enum Cbor {}

impl<T: Serialize + DeserializeOwned> Codec<T> for Cbor {
    const NAME: &'static str = "cbor";

    fn encode(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        ciborium::into_writer(value, out).map_err(CodecError::new)
    }

    fn decode(mut bytes: &[u8]) -> Result<T, CodecError> {
        let length = bytes.len();
        let value = ciborium::from_reader(&mut bytes).map_err(|error| match error {
            Error::Semantic(at, said) => {
                refused(&said, format!("at byte {} of {length}", at.unwrap_or(length)))
            }
            error => CodecError::new(error),
        })?;
        match bytes.len() {
            0 => Ok(value),
            n => Err(CodecError::new(format!("{n} bytes follow the value"))),
        }
    }
}
