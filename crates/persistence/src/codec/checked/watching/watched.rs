use super::Watching;
use crate::codec::{
    checked::{Audit, Place},
    format::Format,
};
use serde::{Serialize, Serializer};

/// A value, or a part of one, that is watched while it is written.
pub(in crate::codec::checked) struct Watched<'a, F, T: ?Sized> {
    pub(in crate::codec::checked) value: &'a T,
    pub(in crate::codec::checked) audit: &'a Audit<F>,
    pub(in crate::codec::checked) place: &'a Place<'a>,
    pub(in crate::codec::checked) role: Role,
}

/// What a part is to the one around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codec::checked) enum Role {
    Value,
    /// What `Some` holds.
    InSome,
    Key,
}

impl<F: Format, T: Serialize + ?Sized> Serialize for Watched<'_, F, T> {
    #[inline]
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { value, audit, place, role } = *self;
        value.serialize(Watching { to, audit, place, role })
    }
}
