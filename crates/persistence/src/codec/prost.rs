use super::{prost_hash::message_hash, prost_levels::may_nest};
use actum_model::{Codec, CodecError};

/// Protocol Buffers, by prost: the smallest and fastest, with a schema.
///
/// Fields it does not know are ignored, as protobuf wants it, so bytes behind a message are an error only where they
/// are no further fields. Messages nested more than 100 levels deep cannot be read back, and are an error already when
/// they are encoded. A plain float field of `-0.0` counts as its default, like `0.0`, which it equals and comes back as.
#[derive(Debug)]
pub enum Prost {}

/// How many messages inside each other are certainly read.
const LEVELS_SAFE: usize = 99;

impl<T: prost::Message + Default> Codec<T> for Prost {
    const NAME: &'static str = "prost";

    fn encode(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = out.len();
        value.encode(out).map_err(CodecError::new)?;
        if may_nest(&out[start..], LEVELS_SAFE)
            && let Err(error) = T::decode(&out[start..])
        {
            out.truncate(start);
            return Err(CodecError::new(format!("the value cannot be read back: {error}")));
        }
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        T::decode(bytes).map_err(CodecError::new)
    }

    fn fingerprint(value: &T) -> Result<u64, CodecError> {
        Ok(message_hash(&value.encode_to_vec()))
    }
}
