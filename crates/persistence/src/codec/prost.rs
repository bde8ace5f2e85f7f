use actum_model::{Codec, CodecError};

/// Protocol Buffers, by prost: the smallest and fastest, with a schema.
///
/// Fields it does not know are ignored, as protobuf wants it, so bytes behind a message are an error only where they
/// are no further fields.
#[derive(Debug)]
pub enum Prost {}

impl<T: prost::Message + Default> Codec<T> for Prost {
    const NAME: &'static str = "prost";

    fn encode(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        value.encode(out).map_err(CodecError::new)
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        T::decode(bytes).map_err(CodecError::new)
    }
}
