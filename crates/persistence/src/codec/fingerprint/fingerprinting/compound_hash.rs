use super::{Fingerprinting, text};
use crate::codec::fingerprint::{Kind, Rules, Unwritable, mix, of};
use serde::{
    Serialize,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use std::marker::PhantomData;

/// A list, a map or a struct: the sum of its parts, which does not depend on their order unless their places count.
pub(in crate::codec::fingerprint) struct CompoundHash<R> {
    what: u64,
    count: u64,
    sum: u64,
    key: u64,
    rules: PhantomData<R>,
}

impl<R: Rules> CompoundHash<R> {
    pub(in crate::codec::fingerprint) fn new(what: u64) -> Self {
        Self { what, count: 0, sum: 0, key: 0, rules: PhantomData }
    }

    fn part<T: Serialize + ?Sized>(value: &T) -> Result<u64, Unwritable> {
        value.serialize(Fingerprinting::<R>(PhantomData))
    }

    fn add<T: Serialize + ?Sized>(&mut self, key: u64, value: &T) -> Result<(), Unwritable> {
        self.add_part(key, Self::part(value)?);
        Ok(())
    }

    fn add_part(&mut self, key: u64, part: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(mix(key, part));
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Unwritable> {
        let part = Self::part(value)?;
        if R::EXACT || part != of(Kind::None, 0) {
            self.add_part(text(key), part);
        }
        Ok(())
    }

    fn total(&self) -> Result<u64, Unwritable> {
        Ok(mix(mix(self.what, self.count), self.sum))
    }
}

impl<R: Rules> SerializeSeq for CompoundHash<R> {
    type Ok = u64;
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        let place = if R::EXACT { 0 } else { self.count + 1 };
        self.add(place, value)
    }

    fn end(self) -> Result<u64, Unwritable> {
        self.total()
    }
}

macro_rules! tuples {
    ($($compound:ident $method:ident)*) => { $(
        impl<R: Rules> $compound for CompoundHash<R> {
            type Ok = u64;
            type Error = Unwritable;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
                self.add(self.count + 1, value)
            }

            fn end(self) -> Result<u64, Unwritable> {
                self.total()
            }
        }
    )* };
}

tuples! {
    SerializeTuple serialize_element SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

macro_rules! structs {
    ($($compound:ident)*) => { $(
        impl<R: Rules> $compound for CompoundHash<R> {
            type Ok = u64;
            type Error = Unwritable;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Unwritable> {
                self.field(key, value)
            }

            fn end(self) -> Result<u64, Unwritable> {
                self.total()
            }
        }
    )* };
}

structs! { SerializeStruct SerializeStructVariant }

impl<R: Rules> SerializeMap for CompoundHash<R> {
    type Ok = u64;
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.key = Self::part(key)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.add(self.key, value)
    }

    fn end(self) -> Result<u64, Unwritable> {
        self.total()
    }
}
