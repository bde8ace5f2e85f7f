use super::{Compound, Kind, Unwritable, mix, of};
use crate::codec::format::Format;
use serde::{Serialize, Serializer};
use std::marker::PhantomData;
use xxhash_rust::xxh3::xxh3_64;

/// Takes the fingerprint of one value.
pub(super) struct Fingerprinting<F>(pub(super) PhantomData<F>);

type Fingerprint = Result<u64, Unwritable>;

pub(super) fn text(text: &str) -> u64 {
    of(Kind::Str, xxh3_64(text.as_bytes()))
}

fn variant(name: &str, index: u32, content: u64) -> u64 {
    mix(of(Kind::Variant, u64::from(index)), mix(text(name), content))
}

/// Where the format writes the same for all that is not finite, so does the fingerprint for every NaN.
fn float<F: Format>(value: f64, bits: u64) -> u64 {
    of(Kind::Float, if F::IS_TEXT && value.is_nan() { f64::NAN.to_bits() } else { bits })
}

macro_rules! numbers {
    ($($method:ident $t:ty, $kind:ident, $bits:literal)*) => { $(
        fn $method(self, value: $t) -> Fingerprint {
            Ok(mix($bits, of(Kind::$kind, value as u64)))
        }
    )* };
}

impl<F: Format> Serializer for Fingerprinting<F> {
    type Ok = u64;
    type Error = Unwritable;
    type SerializeSeq = Compound<F>;
    type SerializeTuple = Compound<F>;
    type SerializeTupleStruct = Compound<F>;
    type SerializeTupleVariant = Compound<F>;
    type SerializeMap = Compound<F>;
    type SerializeStruct = Compound<F>;
    type SerializeStructVariant = Compound<F>;

    numbers! {
        serialize_i8 i8, Signed, 8 serialize_i16 i16, Signed, 16 serialize_i32 i32, Signed, 32
        serialize_i64 i64, Signed, 64 serialize_u8 u8, Unsigned, 8 serialize_u16 u16, Unsigned, 16
        serialize_u32 u32, Unsigned, 32 serialize_u64 u64, Unsigned, 64
    }

    fn serialize_bool(self, value: bool) -> Fingerprint {
        Ok(of(Kind::Bool, u64::from(value)))
    }

    fn serialize_i128(self, value: i128) -> Fingerprint {
        Ok(of(Kind::Wide, mix(xxh3_64(&value.to_le_bytes()), 1)))
    }

    fn serialize_u128(self, value: u128) -> Fingerprint {
        Ok(of(Kind::Wide, mix(xxh3_64(&value.to_le_bytes()), 2)))
    }

    fn serialize_f32(self, value: f32) -> Fingerprint {
        Ok(mix(32, float::<F>(value.into(), value.to_bits().into())))
    }

    fn serialize_f64(self, value: f64) -> Fingerprint {
        Ok(mix(64, float::<F>(value, value.to_bits())))
    }

    fn serialize_char(self, value: char) -> Fingerprint {
        Ok(of(Kind::Char, value.into()))
    }

    fn serialize_str(self, value: &str) -> Fingerprint {
        Ok(text(value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Fingerprint {
        Ok(of(Kind::Bytes, xxh3_64(value)))
    }

    fn serialize_none(self) -> Fingerprint {
        Ok(of(Kind::None, 0))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Fingerprint {
        Ok(of(Kind::Some, value.serialize(self)?))
    }

    fn serialize_unit(self) -> Fingerprint {
        Ok(of(Kind::Unit, 0))
    }

    fn serialize_unit_struct(self, name: &'static str) -> Fingerprint {
        Ok(mix(of(Kind::Unit, 1), text(name)))
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        _: &'static str,
    ) -> Fingerprint {
        Ok(variant(name, index, 0))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Fingerprint {
        Ok(mix(of(Kind::Named, text(name)), value.serialize(self)?))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Fingerprint {
        Ok(variant(name, index, of(Kind::Named, value.serialize(self)?)))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<F>, Unwritable> {
        Ok(Compound::new(of(Kind::List, 0)))
    }

    fn serialize_tuple(self, _: usize) -> Result<Compound<F>, Unwritable> {
        Ok(Compound::new(of(Kind::Tuple, 0)))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Compound<F>, Unwritable> {
        Ok(Compound::new(of(Kind::Tuple, text(name))))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Compound<F>, Unwritable> {
        Ok(Compound::new(variant(name, index, Kind::Tuple as u64)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<F>, Unwritable> {
        Ok(Compound::new(of(Kind::Map, 0)))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<F>, Unwritable> {
        Ok(Compound::new(of(Kind::Struct, text(name))))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Compound<F>, Unwritable> {
        Ok(Compound::new(variant(name, index, Kind::Struct as u64)))
    }

    fn is_human_readable(&self) -> bool {
        F::HUMAN_READABLE
    }
}
