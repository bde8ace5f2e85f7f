use super::{Audit, Place, Watching};
use crate::codec::format::Format;
use serde::{Serialize, Serializer};

/// A value, or a part of one, that is watched while it is written.
pub(super) struct Watched<'a, F, T: ?Sized> {
    pub(super) value: &'a T,
    pub(super) audit: &'a Audit<F>,
    pub(super) place: &'a Place<'a>,
    pub(super) role: Role,
}

/// What a part is to the one around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
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
