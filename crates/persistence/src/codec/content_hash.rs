//! A hash of what a serde value says, whatever order its maps are in.

use actum_model::CodecError;
use serde::{
    Serialize, Serializer,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use std::fmt;
use xxhash_rust::xxh3::xxh3_64;

/// A hash of the content of `value`, the same for equal values in every process.
///
/// The value is written out with a tag before each part, so that two values of one type are written alike only if they
/// are equal. Fields that are `None` do not count, so a type may get another optional one. The entries of a map are hashed one by one and the hashes added up: their order has no say. A sequence that
/// has no order, such as a hash set, cannot be told from one that has.
pub(super) fn content_hash<T: Serialize>(value: &T) -> Result<u64, CodecError> {
    let mut written = Vec::new();
    value.serialize(Writer(&mut written)).map_err(CodecError::new)?;
    Ok(xxh3_64(&written))
}

/// Writes a value to the end of a buffer.
struct Writer<'a>(&'a mut Vec<u8>);

/// Why a value has no fingerprint: it says so itself.
#[derive(Debug)]
struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl serde::ser::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// What a part is. The numbers are for ever: fingerprints are stored.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Tag {
    Unit = 0,
    Some = 1,
    Bool = 2,
    Signed = 3,
    Unsigned = 4,
    Float = 5,
    Char = 6,
    Text = 7,
    Bytes = 8,
    Variant = 9,
    Open = 10,
    Close = 11,
    Map = 12,
    Field = 13,
}

impl<'a> Writer<'a> {
    fn put(self, tag: Tag, bytes: &[u8]) -> Result<(), Refused> {
        self.open(tag, bytes);
        Ok(())
    }

    fn open(self, tag: Tag, bytes: &[u8]) -> Self {
        self.0.push(tag as u8);
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, tag: Tag, bytes: &[u8]) -> Self {
        let writer = self.open(tag, &(bytes.len() as u64).to_le_bytes());
        writer.0.extend_from_slice(bytes);
        writer
    }

    fn map(self) -> Map<'a> {
        let start = self.0.len();
        Map { out: self.0, start, sum: 0, count: 0 }
    }
}

macro_rules! numbers {
    ($($name:ident $from:ty as $to:ty => $tag:ident;)*) => { $(
        fn $name(self, value: $from) -> Result<(), Refused> {
            self.put(Tag::$tag, &<$to>::from(value).to_le_bytes())
        }
    )* };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Map<'a>;
    type SerializeStruct = Map<'a>;
    type SerializeStructVariant = Map<'a>;

    numbers! {
        serialize_i8 i8 as i128 => Signed;
        serialize_i16 i16 as i128 => Signed;
        serialize_i32 i32 as i128 => Signed;
        serialize_i64 i64 as i128 => Signed;
        serialize_i128 i128 as i128 => Signed;
        serialize_u8 u8 as u128 => Unsigned;
        serialize_u16 u16 as u128 => Unsigned;
        serialize_u32 u32 as u128 => Unsigned;
        serialize_u64 u64 as u128 => Unsigned;
        serialize_u128 u128 as u128 => Unsigned;
        serialize_f32 f32 as f64 => Float;
        serialize_f64 f64 as f64 => Float;
    }

    fn serialize_bool(self, value: bool) -> Result<(), Refused> {
        self.put(Tag::Bool, &[u8::from(value)])
    }

    fn serialize_char(self, value: char) -> Result<(), Refused> {
        self.put(Tag::Char, &u32::from(value).to_le_bytes())
    }

    fn serialize_str(self, value: &str) -> Result<(), Refused> {
        self.text(Tag::Text, value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Refused> {
        self.text(Tag::Bytes, value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Refused> {
        self.put(Tag::Unit, &[])
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        value.serialize(Writer(self.open(Tag::Some, &[]).0))
    }

    fn serialize_unit(self) -> Result<(), Refused> {
        self.put(Tag::Unit, &[])
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refused> {
        self.put(Tag::Unit, &[])
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Refused> {
        self.text(Tag::Variant, variant.as_bytes());
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        value.serialize(self.text(Tag::Variant, variant.as_bytes()))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Refused> {
        Ok(Parts(self.open(Tag::Open, &[]).0))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Refused> {
        Ok(Parts(self.open(Tag::Open, &[]).0))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Refused> {
        Ok(Parts(self.open(Tag::Open, &[]).0))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Refused> {
        Ok(Parts(self.text(Tag::Variant, variant.as_bytes()).open(Tag::Open, &[]).0))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Map<'a>, Refused> {
        Ok(self.map())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Map<'a>, Refused> {
        Ok(self.map())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Map<'a>, Refused> {
        Ok(self.text(Tag::Variant, variant.as_bytes()).map())
    }
}

/// The elements of a sequence, in their order.
struct Parts<'a>(&'a mut Vec<u8>);

macro_rules! parts {
    ($($trait:ident $element:ident;)*) => { $(
        impl $trait for Parts<'_> {
            type Ok = ();
            type Error = Refused;

            fn $element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
                value.serialize(Writer(self.0))
            }

            fn end(self) -> Result<(), Refused> {
                Writer(self.0).put(Tag::Close, &[])
            }
        }
    )* };
}

parts! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

/// The entries of a map, or the fields of a struct: each is written behind `start` and replaced by its hash.
struct Map<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    sum: u64,
    count: u64,
}

impl Map<'_> {
    fn entry_ends(&mut self) {
        self.sum = self.sum.wrapping_add(xxh3_64(&self.out[self.start..]));
        self.count += 1;
        self.out.truncate(self.start);
    }

    fn close(self) -> Result<(), Refused> {
        let writer = Writer(self.out).open(Tag::Map, &self.count.to_le_bytes());
        writer.0.extend_from_slice(&self.sum.to_le_bytes());
        Ok(())
    }

    fn named(
        &mut self,
        name: &'static str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), Refused> {
        Writer(self.out).text(Tag::Field, name.as_bytes());
        let value_starts = self.out.len();
        value.serialize(Writer(self.out))?;
        if self.out[value_starts..] == [Tag::Unit as u8] {
            self.out.truncate(self.start); // an optional field that is added later makes no other value of an old one
        } else {
            self.entry_ends();
        }
        Ok(())
    }
}

impl SerializeMap for Map<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        key.serialize(Writer(self.out))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        value.serialize(Writer(self.out))?;
        self.entry_ends();
        Ok(())
    }

    fn end(self) -> Result<(), Refused> {
        self.close()
    }
}

macro_rules! fields {
    ($($trait:ident;)*) => { $(
        impl $trait for Map<'_> {
            type Ok = ();
            type Error = Refused;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Refused> {
                self.named(name, value)
            }

            fn end(self) -> Result<(), Refused> {
                self.close()
            }
        }
    )* };
}

fields! {
    SerializeStruct;
    SerializeStructVariant;
}

#[cfg(test)]
mod tests {
    use super::content_hash;
    use std::collections::{BTreeMap, HashMap};

    #[derive(serde::Serialize)]
    struct Pay {
        to: String,
        amount: Option<u64>,
        tags: HashMap<String, Vec<u8>>,
    }

    fn pay(amount: Option<u64>, tags: &[(&str, &[u8])]) -> u64 {
        let tags = tags.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec()));
        content_hash(&Pay { to: "a".into(), amount, tags: tags.collect() }).unwrap()
    }

    #[test]
    fn order_of_a_hash_map_has_no_say() {
        // every hash map iterates in an order of its own
        let tags: Vec<_> = (0..20).map(|n| (n.to_string(), vec![n])).collect();
        let tags: Vec<_> = tags.iter().map(|(name, value)| (&**name, &value[..])).collect();
        let first = pay(Some(1), &tags);
        assert!((0..20).all(|_| pay(Some(1), &tags) == first));
    }

    #[test]
    fn other_content_has_another_fingerprint() {
        let tags: &[(&str, &[u8])] = &[("x", &[1]), ("y", &[2])];
        let all = [
            pay(Some(1), tags),
            pay(Some(2), tags),
            pay(None, tags),
            pay(Some(1), &tags[..1]),
            pay(Some(1), &[("x", &[2]), ("y", &[1])]),
            pay(Some(1), &[("x", &[1, 2]), ("y", &[])]),
            pay(Some(1), &[]),
        ];
        for (nr, one) in all.iter().enumerate() {
            assert!(!all[nr + 1..].contains(one), "{nr}");
        }
        assert_ne!(content_hash(&("ab", "c")).unwrap(), content_hash(&("a", "bc")).unwrap());
        assert_ne!(content_hash(&0.0_f64).unwrap(), content_hash(&-0.0_f64).unwrap());
        assert_ne!(
            content_hash(&vec![vec![1], vec![]]).unwrap(),
            content_hash(&vec![vec![], vec![1]]).unwrap()
        );
    }

    #[test]
    fn a_fingerprint_is_the_same_for_ever() {
        let tags: BTreeMap<_, _> = [("x", 1_u8), ("y", 2)].into();
        let value = ("text", -5_i16, Some(true), tags, [1.5_f32], 'c', ());
        assert_eq!(content_hash(&value).unwrap(), 5_279_260_630_208_195_752);
    }
}
