mod compound_hash;

use super::{Kind, Rules, Unwritable, mix, of};
use compound_hash::CompoundHash;
use serde::{Serialize, Serializer};
use std::marker::PhantomData;
use xxhash_rust::xxh3::xxh3_64;

/// Takes the fingerprint of one value.
pub(super) struct Fingerprinting<R>(pub(super) PhantomData<R>);

type Fingerprint = Result<u64, Unwritable>;

fn text(text: &str) -> u64 {
    of(Kind::Str, xxh3_64(text.as_bytes()))
}

/// The name of a type, if it counts.
fn named<R: Rules>(name: &str) -> u64 {
    if R::EXACT { text(name) } else { 0 }
}

fn variant(name: &str, content: u64) -> u64 {
    of(Kind::Variant, mix(text(name), content))
}

/// A number of so many bits, the lower and the higher half of what it is with all.
fn number<R: Rules>(bits: u64, kind: Kind, [low, high]: [u64; 2]) -> u64 {
    let width = if R::EXACT { bits } else { 0 };
    mix(width, mix(of(kind, low), high))
}

fn halves(value: u128) -> [u64; 2] {
    [value as u64, (value >> 64) as u64]
}

/// A float of so many bits, which are `own`: a NaN of 32 bits does not keep all of them with 64.
fn float<R: Rules>(bits: u64, own: u64, value: f64) -> u64 {
    let value = match own {
        _ if R::ONE_NAN && value.is_nan() => f64::NAN.to_bits(),
        own if R::EXACT => own,
        _ => value.to_bits(),
    };
    number::<R>(bits, Kind::Float, [value, 0])
}

macro_rules! numbers {
    ($($method:ident $t:ty, $kind:ident, $wide:ty;)*) => { $(
        fn $method(self, value: $t) -> Fingerprint {
            let wide = <$wide>::from(value);
            Ok(number::<R>(<$t>::BITS.into(), Kind::$kind, halves(wide as u128)))
        }
    )* };
}

impl<R: Rules> Serializer for Fingerprinting<R> {
    type Ok = u64;
    type Error = Unwritable;
    type SerializeSeq = CompoundHash<R>;
    type SerializeTuple = CompoundHash<R>;
    type SerializeTupleStruct = CompoundHash<R>;
    type SerializeTupleVariant = CompoundHash<R>;
    type SerializeMap = CompoundHash<R>;
    type SerializeStruct = CompoundHash<R>;
    type SerializeStructVariant = CompoundHash<R>;

    numbers! {
        serialize_i8 i8, Signed, i128; serialize_i16 i16, Signed, i128; serialize_i32 i32, Signed, i128;
        serialize_i64 i64, Signed, i128; serialize_i128 i128, Signed, i128;
        serialize_u8 u8, Unsigned, u128; serialize_u16 u16, Unsigned, u128; serialize_u32 u32, Unsigned, u128;
        serialize_u64 u64, Unsigned, u128; serialize_u128 u128, Unsigned, u128;
    }

    fn serialize_bool(self, value: bool) -> Fingerprint {
        Ok(of(Kind::Bool, u64::from(value)))
    }

    fn serialize_f32(self, value: f32) -> Fingerprint {
        Ok(float::<R>(32, value.to_bits().into(), value.into()))
    }

    fn serialize_f64(self, value: f64) -> Fingerprint {
        Ok(float::<R>(64, value.to_bits(), value))
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
        Ok(of(Kind::Unit, named::<R>(name)))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant_name: &'static str,
    ) -> Fingerprint {
        Ok(variant(variant_name, 0))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Fingerprint {
        Ok(if R::EXACT {
            mix(of(Kind::Named, text(name)), value.serialize(self)?)
        } else {
            value.serialize(self)?
        })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant_name: &'static str,
        value: &T,
    ) -> Fingerprint {
        Ok(variant(variant_name, of(Kind::Named, value.serialize(self)?)))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<CompoundHash<R>, Unwritable> {
        Ok(CompoundHash::new(of(Kind::List, 0)))
    }

    fn serialize_tuple(self, _: usize) -> Result<CompoundHash<R>, Unwritable> {
        Ok(CompoundHash::new(of(Kind::Tuple, 0)))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<CompoundHash<R>, Unwritable> {
        Ok(CompoundHash::new(of(Kind::Tuple, named::<R>(name))))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant_name: &'static str,
        _: usize,
    ) -> Result<CompoundHash<R>, Unwritable> {
        Ok(CompoundHash::new(variant(variant_name, Kind::Tuple as u64)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<CompoundHash<R>, Unwritable> {
        Ok(CompoundHash::new(of(Kind::Map, 0)))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<CompoundHash<R>, Unwritable> {
        Ok(CompoundHash::new(of(Kind::Struct, named::<R>(name))))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant_name: &'static str,
        _: usize,
    ) -> Result<CompoundHash<R>, Unwritable> {
        Ok(CompoundHash::new(variant(variant_name, Kind::Struct as u64)))
    }

    fn is_human_readable(&self) -> bool {
        R::HUMAN_READABLE
    }
}
