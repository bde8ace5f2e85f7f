use super::{Fingerprinting, Unwritable, fingerprinting::text, mix};
use crate::codec::format::Format;
use serde::{
    Serialize,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use std::marker::PhantomData;

/// A list, a map or a struct: the sum of its parts, which does not depend on their order.
pub(super) struct Compound<F> {
    what: u64,
    count: u64,
    sum: u64,
    key: u64,
    format: PhantomData<F>,
}

impl<F: Format> Compound<F> {
    pub(super) fn new(what: u64) -> Self {
        Self { what, count: 0, sum: 0, key: 0, format: PhantomData }
    }

    fn part<T: Serialize + ?Sized>(value: &T) -> Result<u64, Unwritable> {
        value.serialize(Fingerprinting::<F>(PhantomData))
    }

    fn add<T: Serialize + ?Sized>(&mut self, key: u64, value: &T) -> Result<(), Unwritable> {
        self.count += 1;
        self.sum = self.sum.wrapping_add(mix(key, Self::part(value)?));
        Ok(())
    }

    fn total(&self) -> Result<u64, Unwritable> {
        Ok(mix(mix(self.what, self.count), self.sum))
    }
}

impl<F: Format> SerializeSeq for Compound<F> {
    type Ok = u64;
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.add(0, value)
    }

    fn end(self) -> Result<u64, Unwritable> {
        self.total()
    }
}

macro_rules! tuples {
    ($($compound:ident $method:ident)*) => { $(
        impl<F: Format> $compound for Compound<F> {
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
        impl<F: Format> $compound for Compound<F> {
            type Ok = u64;
            type Error = Unwritable;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Unwritable> {
                self.add(text(key), value)
            }

            fn end(self) -> Result<u64, Unwritable> {
                self.total()
            }
        }
    )* };
}

structs! { SerializeStruct SerializeStructVariant }

impl<F: Format> SerializeMap for Compound<F> {
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
