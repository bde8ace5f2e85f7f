mod compound;
mod watched;

pub(super) use watched::{Role, Watched};

use super::{
    Audit, Doubt, Place,
    place::{mix, site_of},
};
use crate::codec::format::Format;
use compound::Compound;
use serde::{Serialize, Serializer, ser::Error};
use std::fmt::Display;
use xxhash_rust::xxh3::xxh3_64;

/// Hands everything on to the serializer of a format, and notes what may not be read back.
pub(super) struct Watching<'a, F, S> {
    pub(super) to: S,
    pub(super) audit: &'a Audit<F>,
    pub(super) place: &'a Place<'a>,
    pub(super) role: Role,
}

// kinds of what is visited at a place, beside the names of the type
const NONE: u64 = 1;
const UNIT: u64 = 2;
const BYTES: u64 = 3;
const KEY: u64 = 4;
const WIDE: u64 = 5;
const BEYOND_64_BITS: u64 = 6;

impl<'a, F: Format, S: Serializer> Watching<'a, F, S> {
    #[inline]
    fn visit(&self, kind: u64) {
        self.audit.visit(mix(self.place.site, kind));
    }

    /// Visits a named part here, and gives the number its own parts are under.
    #[inline]
    fn visit_named(&self, name: &'static str) -> u64 {
        self.audit.visit(site_of(self.place.site, name));
        site_of(0, name)
    }

    #[inline]
    fn visit_variant(&self, name: &'static str, variant: &'static str) -> u64 {
        let site = site_of(site_of(0, name), variant);
        self.audit.visit(mix(self.place.site, site));
        site
    }

    /// A value that is not text: read back as a key only by who asks for its type.
    #[inline]
    fn visit_key(&self) {
        if F::IS_TEXT && self.role == Role::Key {
            self.visit(KEY);
        }
    }

    #[inline]
    fn visit_null(&self) {
        if self.role == Role::InSome {
            self.audit.doubt(Doubt::NullInSome, self.place);
        }
    }

    #[inline]
    fn compound<C>(
        self,
        site: u64,
        levels: u32,
        begin: impl FnOnce(S) -> Result<C, S::Error>,
    ) -> Result<Compound<'a, F, C>, S::Error> {
        self.enter(levels)?;
        let Self { to, audit, place, .. } = self;
        Ok(Compound { to: begin(to)?, audit, place, site, levels, first_key: None })
    }

    #[inline]
    fn enter(&self, levels: u32) -> Result<(), S::Error> {
        match self.audit.enter(levels, self.place) {
            true => Ok(()),
            false => Err(S::Error::custom(too_deep::<F>())),
        }
    }
}

#[cold]
fn too_deep<F: Format>() -> String {
    format!("the value {}", Doubt::TooDeep { max: F::LEVELS_MAX })
}

macro_rules! scalars {
    ($($method:ident $t:ty)*) => { $(
        #[inline]
        fn $method(self, value: $t) -> Result<S::Ok, S::Error> {
            self.visit_key();
            self.to.$method(value)
        }
    )* };
}

impl<'a, F: Format, S: Serializer> Serializer for Watching<'a, F, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Compound<'a, F, S::SerializeSeq>;
    type SerializeTuple = Compound<'a, F, S::SerializeTuple>;
    type SerializeTupleStruct = Compound<'a, F, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Compound<'a, F, S::SerializeTupleVariant>;
    type SerializeMap = Compound<'a, F, S::SerializeMap>;
    type SerializeStruct = Compound<'a, F, S::SerializeStruct>;
    type SerializeStructVariant = Compound<'a, F, S::SerializeStructVariant>;

    scalars! {
        serialize_bool bool serialize_char char
        serialize_i8 i8 serialize_i16 i16 serialize_i32 i32 serialize_i64 i64
        serialize_u8 u8 serialize_u16 u16 serialize_u32 u32 serialize_u64 u64
    }

    #[inline]
    fn serialize_i128(self, value: i128) -> Result<S::Ok, S::Error> {
        let narrow = (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value);
        self.visit(if narrow { WIDE } else { BEYOND_64_BITS });
        self.to.serialize_i128(value)
    }

    #[inline]
    fn serialize_u128(self, value: u128) -> Result<S::Ok, S::Error> {
        self.visit(if u64::try_from(value).is_ok() { WIDE } else { BEYOND_64_BITS });
        self.to.serialize_u128(value)
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.visit_key();
        match F::IS_TEXT {
            true if !value.is_finite() => self.audit.doubt(Doubt::NotFinite, self.place),
            false if value.is_nan() => self.audit.doubt(Doubt::NarrowNan, self.place),
            _ => {}
        }
        self.to.serialize_f32(value)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.visit_key();
        if F::IS_TEXT && !value.is_finite() {
            self.audit.doubt(Doubt::NotFinite, self.place);
        }
        self.to.serialize_f64(value)
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<S::Ok, S::Error> {
        if self.role == Role::Key {
            self.audit.set_key(Some(xxh3_64(value.as_bytes())));
        }
        self.to.serialize_str(value)
    }

    #[inline]
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.to.collect_str(value)
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<S::Ok, S::Error> {
        if F::IS_TEXT {
            self.visit(BYTES);
        }
        self.to.serialize_bytes(value)
    }

    #[inline]
    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.visit_null();
        self.visit(NONE);
        self.to.serialize_none()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.visit_key();
        let Self { to, audit, place, .. } = self;
        to.serialize_some(&Watched { value, audit, place, role: Role::InSome })
    }

    #[inline]
    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.visit_null();
        self.visit(UNIT);
        self.to.serialize_unit()
    }

    #[inline]
    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.visit_null();
        self.visit_named(name);
        self.to.serialize_unit_struct(name)
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.visit_variant(name, variant);
        if !F::IS_TEXT {
            // the decoder enters a variant without content too
            self.enter(1)?;
            self.audit.leave(1);
        }
        self.to.serialize_unit_variant(name, index, variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let site = self.visit_named(name);
        let Self { to, audit, place, role } = self;
        let place = place.renumbered(site);
        to.serialize_newtype_struct(name, &Watched { value, audit, place: &place, role })
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let site = self.visit_variant(name, variant);
        self.enter(1)?;
        let Self { to, audit, place, .. } = self;
        let place = place.child(variant, site);
        let part = Watched { value, audit, place: &place, role: Role::Value };
        let written = to.serialize_newtype_variant(name, index, variant, &part)?;
        audit.leave(1);
        Ok(written)
    }

    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let site = self.place.site;
        self.compound(site, 1, |to| to.serialize_seq(length))
    }

    #[inline]
    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        let site = self.place.site;
        self.compound(site, 1, |to| to.serialize_tuple(length))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let site = self.visit_named(name);
        self.compound(site, 1, |to| to.serialize_tuple_struct(name, length))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let site = self.visit_variant(name, variant);
        self.compound(site, 2, |to| to.serialize_tuple_variant(name, index, variant, length))
    }

    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        if length.is_none() {
            // how flattened fields are written: their keys come from several types, so one may be there twice
            self.audit.always_try();
        }
        let site = self.place.site;
        self.compound(site, 1, |to| to.serialize_map(length))
    }

    #[inline]
    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        if self.role == Role::InSome && name == RAW_VALUE {
            self.audit.doubt(Doubt::NullInSome, self.place); // its text may be `null`
        }
        let site = self.visit_named(name);
        self.compound(site, 1, |to| to.serialize_struct(name, length))
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let site = self.visit_variant(name, variant);
        self.compound(site, 2, |to| to.serialize_struct_variant(name, index, variant, length))
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.to.is_human_readable()
    }
}

/// What `serde_json::value::RawValue` calls itself before a serializer.
const RAW_VALUE: &str = "$serde_json::private::RawValue";
