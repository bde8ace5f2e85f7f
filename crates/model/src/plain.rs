use crate::{Codec, CodecError, Payload, StoredPayload};
use std::{borrow::Cow, convert::Infallible};

/// The codec of plain values: numbers as little-endian bytes, text as UTF-8, `()` as nothing.
///
/// It lets replies be `()`, `u64`, `bool`, `String` and the like without a type of their own.
#[derive(Debug)]
pub enum Plain {}

/// The codec of collections of payloads: each element as a stored payload of its own, so elements evolve as usual.
#[derive(Debug)]
pub enum Each {}

macro_rules! numbers {
    ($($t:ident)*) => { $(
        #[diagnostic::do_not_recommend]
        impl Codec<$t> for Plain {
            const NAME: &'static str = "plain";
            fn encode(value: &$t, out: &mut Vec<u8>) -> Result<(), CodecError> {
                out.extend_from_slice(&value.to_le_bytes());
                Ok(())
            }
            fn decode(bytes: &[u8]) -> Result<$t, CodecError> {
                bytes.try_into().map($t::from_le_bytes).map_err(CodecError::new)
            }
        }
        #[diagnostic::do_not_recommend]
        impl Payload for $t {
            type Codec = Plain;
            const MANIFEST: &'static str = stringify!($t);
        }
    )* };
}

numbers! { u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 f32 f64 }

#[diagnostic::do_not_recommend]
impl Codec<()> for Plain {
    const NAME: &'static str = "plain";
    fn encode((): &(), _: &mut Vec<u8>) -> Result<(), CodecError> {
        Ok(())
    }
    fn decode(bytes: &[u8]) -> Result<(), CodecError> {
        if bytes.is_empty() { Ok(()) } else { Err(CodecError::new("nothing was expected")) }
    }
}

#[diagnostic::do_not_recommend]
impl Codec<bool> for Plain {
    const NAME: &'static str = "plain";
    fn encode(value: &bool, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.push(u8::from(*value));
        Ok(())
    }
    fn decode(bytes: &[u8]) -> Result<bool, CodecError> {
        match bytes {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(CodecError::new("a bool is one byte, 0 or 1")),
        }
    }
}

#[diagnostic::do_not_recommend]
impl Codec<String> for Plain {
    const NAME: &'static str = "plain";
    fn encode(value: &String, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(value.as_bytes());
        Ok(())
    }
    fn decode(bytes: &[u8]) -> Result<String, CodecError> {
        String::from_utf8(bytes.to_vec()).map_err(CodecError::new)
    }
}

#[diagnostic::do_not_recommend]
impl Codec<uuid::Uuid> for Plain {
    const NAME: &'static str = "plain";
    fn encode(value: &uuid::Uuid, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(value.as_bytes());
        Ok(())
    }
    fn decode(bytes: &[u8]) -> Result<uuid::Uuid, CodecError> {
        uuid::Uuid::from_slice(bytes).map_err(CodecError::new)
    }
}

#[diagnostic::do_not_recommend]
impl Codec<Infallible> for Plain {
    const NAME: &'static str = "plain";
    fn encode(value: &Infallible, _: &mut Vec<u8>) -> Result<(), CodecError> {
        match *value {}
    }
    fn decode(_: &[u8]) -> Result<Infallible, CodecError> {
        Err(CodecError::new("what never happens was never encoded"))
    }
}

crate::payload!(Plain: () = "unit", bool = "bool", String = "text", uuid::Uuid = "uuid", Infallible = "infallible");

#[diagnostic::do_not_recommend]
impl<T: Payload> Codec<Vec<T>> for Each {
    const NAME: &'static str = "each";
    fn encode(values: &Vec<T>, out: &mut Vec<u8>) -> Result<(), CodecError> {
        values.iter().try_for_each(|value| put(value, out))
    }
    fn decode(mut bytes: &[u8]) -> Result<Vec<T>, CodecError> {
        let mut values = Vec::new();
        while !bytes.is_empty() {
            values.push(take(&mut bytes)?);
        }
        Ok(values)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Payload> Payload for Vec<T> {
    type Codec = Each;
    const MANIFEST: &'static str = "list";
}

#[diagnostic::do_not_recommend]
impl<T: Payload> Codec<Option<T>> for Each {
    const NAME: &'static str = "each";
    fn encode(value: &Option<T>, out: &mut Vec<u8>) -> Result<(), CodecError> {
        value.iter().try_for_each(|value| put(value, out))
    }
    fn decode(mut bytes: &[u8]) -> Result<Option<T>, CodecError> {
        let value = if bytes.is_empty() { None } else { Some(take(&mut bytes)?) };
        if bytes.is_empty() { Ok(value) } else { Err(CodecError::new("one value was expected")) }
    }
}

#[diagnostic::do_not_recommend]
impl<T: Payload> Payload for Option<T> {
    type Codec = Each;
    const MANIFEST: &'static str = "option";
}

// codec, manifest: u8 length + text; schema version: u32; bytes: u32 length + bytes; little-endian
fn put<T: Payload>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let stored = StoredPayload::encode(value)?;
    for text in [&stored.codec, &stored.manifest] {
        out.push(u8::try_from(text.len()).map_err(CodecError::new)?);
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(&stored.schema_version.to_le_bytes());
    out.extend_from_slice(
        &u32::try_from(stored.bytes.len()).map_err(CodecError::new)?.to_le_bytes(),
    );
    out.extend_from_slice(&stored.bytes);
    Ok(())
}

fn take<T: Payload>(bytes: &mut &[u8]) -> Result<T, CodecError> {
    let codec = take_text(bytes)?;
    let manifest = take_text(bytes)?;
    let schema_version = take_u32(bytes)?;
    let length = take_u32(bytes)? as usize;
    let bytes = bytes::Bytes::copy_from_slice(take_bytes(bytes, length)?);
    StoredPayload { codec, manifest, schema_version, bytes }.decode().map_err(CodecError::new)
}

fn take_text(bytes: &mut &[u8]) -> Result<Cow<'static, str>, CodecError> {
    let length = usize::from(take_bytes(bytes, 1)?[0]);
    let text = std::str::from_utf8(take_bytes(bytes, length)?).map_err(CodecError::new)?;
    Ok(Cow::Owned(text.to_owned()))
}

fn take_u32(bytes: &mut &[u8]) -> Result<u32, CodecError> {
    let four = take_bytes(bytes, 4)?;
    Ok(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

fn take_bytes<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], CodecError> {
    let (taken, rest) =
        bytes.split_at_checked(count).ok_or_else(|| CodecError::new("the bytes end too early"))?;
    *bytes = rest;
    Ok(taken)
}
