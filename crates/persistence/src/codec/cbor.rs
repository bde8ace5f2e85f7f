use super::{checked, fingerprint, format::Format, refusal::refused};
use actum_model::{Codec, CodecError};
use ciborium::de::{Error, from_reader, from_reader_with_buffer};
use serde::{Serialize, de::DeserializeOwned};

/// CBOR (RFC 8949) with named fields: a smaller JSON that also holds byte strings and every float.
///
/// What it encodes it decodes to the same value, as [`Json`](super::Json) does; values nested more than 256 levels deep
/// are an error.
#[derive(Debug)]
pub enum Cbor {}

/// What the decoder has room for on the stack. It refuses some texts and byte strings that are longer than its room.
const ROOM_BYTES: usize = 4096;

impl<T: Serialize + DeserializeOwned + 'static> Codec<T> for Cbor {
    const NAME: &'static str = "cbor";

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

impl Format for Cbor {
    const HUMAN_READABLE: bool = false;
    const IS_TEXT: bool = false;
    const LEVELS_MAX: u32 = 256;

    fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        ciborium::into_writer(value, out).map_err(CodecError::new)
    }

    fn read<T: DeserializeOwned>(mut bytes: &[u8]) -> Result<T, CodecError> {
        let length = bytes.len();
        let read = if length <= ROOM_BYTES {
            from_reader(&mut bytes)
        } else {
            from_reader_with_buffer(&mut bytes, &mut vec![0; length])
        };
        let value = read.map_err(|error| match error {
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
