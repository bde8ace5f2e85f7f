use std::fmt;

/// Where in a value the serializer is: for people as a path of names, for [`KnownSites`](super::KnownSites) as a number.
///
/// The number is of the innermost field or variant, not of the whole path, so a recursive type has finitely many.
pub(super) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    name: &'static str,
    pub(super) site: u64,
}

impl<'a> Place<'a> {
    /// The value itself.
    pub(super) const ROOT: Self = Self { parent: None, name: "", site: 1 };
    pub(super) const ITEM: &'static str = "[]";

    #[inline]
    pub(super) fn child(&'a self, name: &'static str, site: u64) -> Self {
        Self { parent: Some(self), name, site }
    }

    /// The same place, whose parts are under another number.
    #[inline]
    pub(super) fn renumbered(&self, site: u64) -> Self {
        Self { site, ..*self }
    }
}

impl fmt::Display for Place<'_> {
    /// A path such as `lines[].price`, or nothing at the root.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else { return Ok(()) };
        parent.fmt(f)?;
        if parent.parent.is_some() && self.name != Place::ITEM {
            f.write_str(".")?;
        }
        f.write_str(self.name)
    }
}

/// The number of a name below the number of what it is in. By address: a second copy of a name is only tried again.
#[inline]
pub(super) fn site_of(parent: u64, name: &'static str) -> u64 {
    mix(parent, name.as_ptr() as u64 ^ (name.len() as u64) << 56)
}

#[inline]
pub(super) fn mix(a: u64, b: u64) -> u64 {
    (a.rotate_left(25) ^ b).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
