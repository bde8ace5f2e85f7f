use super::{Role, Watched};
use crate::codec::{
    checked::{
        Audit, Doubt, Place,
        place::{mix, site_of},
    },
    format::Format,
};
use serde::{
    Serialize,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

/// A list, a map or a struct that is watched part by part.
pub(in crate::codec::checked) struct Compound<'a, F, C> {
    pub(in crate::codec::checked) to: C,
    pub(in crate::codec::checked) audit: &'a Audit<F>,
    pub(in crate::codec::checked) place: &'a Place<'a>,
    /// The number that its parts are under.
    pub(in crate::codec::checked) site: u64,
    /// How many levels it takes.
    pub(in crate::codec::checked) levels: u32,
    /// The first key of a map, as a hash.
    pub(in crate::codec::checked) first_key: Option<Option<u64>>,
}

const SKIPPED: u64 = 7;

macro_rules! items {
    ($($compound:ident $method:ident)*) => { $(
        impl<F: Format, C: $compound> $compound for Compound<'_, F, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                let place = self.place.child(Place::ITEM, self.site);
                self.to.$method(&Watched { value, audit: self.audit, place: &place, role: Role::Value })
            }

            #[inline]
            fn end(self) -> Result<C::Ok, C::Error> {
                self.audit.leave(self.levels);
                self.to.end()
            }
        }
    )* };
}

items! {
    SerializeSeq serialize_element SerializeTuple serialize_element
    SerializeTupleStruct serialize_field SerializeTupleVariant serialize_field
}

macro_rules! fields {
    ($($compound:ident)*) => { $(
        impl<F: Format, C: $compound> $compound for Compound<'_, F, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), C::Error> {
                let place = self.place.child(key, site_of(self.site, key));
                let part = Watched { value, audit: self.audit, place: &place, role: Role::Value };
                self.to.serialize_field(key, &part)
            }

            #[inline]
            fn skip_field(&mut self, key: &'static str) -> Result<(), C::Error> {
                // read back only if the type has a default for it
                self.audit.visit(mix(site_of(self.site, key), SKIPPED));
                self.to.skip_field(key)
            }

            #[inline]
            fn end(self) -> Result<C::Ok, C::Error> {
                self.audit.leave(self.levels);
                self.to.end()
            }
        }
    )* };
}

fields! { SerializeStruct SerializeStructVariant }

impl<F: Format, C> Compound<'_, F, C> {
    /// Looks at the key that was just written. The tag of an enum comes first, and what follows may bring it again.
    #[inline]
    fn check_key(&mut self) {
        let key = self.audit.take_key();
        match self.first_key {
            None => self.first_key = Some(key),
            Some(first) if key.is_some() && key == first => {
                self.audit.doubt(Doubt::RepeatedKey, self.place);
            }
            Some(_) => {}
        }
    }
}

impl<F: Format, C: SerializeMap> SerializeMap for Compound<'_, F, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        let place = self.place.child("key", self.site);
        self.audit.set_key(None);
        self.to.serialize_key(&Watched {
            value: key,
            audit: self.audit,
            place: &place,
            role: Role::Key,
        })?;
        self.check_key();
        Ok(())
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let place = self.place.child(Place::ITEM, self.site);
        self.to.serialize_value(&Watched {
            value,
            audit: self.audit,
            place: &place,
            role: Role::Value,
        })
    }

    #[inline]
    fn end(self) -> Result<C::Ok, C::Error> {
        self.audit.leave(self.levels);
        self.to.end()
    }
}
