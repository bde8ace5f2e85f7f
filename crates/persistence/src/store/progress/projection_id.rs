use std::{fmt, num::NonZeroU32, sync::Arc};

/// Names one version of a projection. Progress is kept by this, for ever: a projection of the same name and version goes on where this one stopped.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectionId {
    name: Arc<str>,
    version: NonZeroU32,
}

/// A text that cannot be the name of a projection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` cannot name a projection: a name has 1 to {} letters, digits, `-`, `_`, `.` and `:` of ASCII",
    ProjectionId::NAME_BYTES_MAX
)]
pub struct InvalidProjectionId {
    /// The text.
    pub name: String,
}

impl ProjectionId {
    /// The longest name, in bytes.
    pub const NAME_BYTES_MAX: usize = 64;

    /// Version `version` of the projection `name`: 1 to 64 letters, digits, `-`, `_`, `.` and `:` of ASCII.
    ///
    /// # Errors
    /// [`InvalidProjectionId`] when it is anything else.
    pub fn new(name: &str, version: NonZeroU32) -> Result<Self, InvalidProjectionId> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if (1..=Self::NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(fits) {
            Ok(Self { name: name.into(), version })
        } else {
            Err(InvalidProjectionId { name: name.to_owned() })
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> NonZeroU32 {
        self.version
    }
}

/// `balances`, and from the second version on `balances, version 2`.
impl fmt::Display for ProjectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.version == NonZeroU32::MIN {
            Ok(())
        } else {
            write!(f, ", version {}", self.version)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        let long = "n".repeat(ProjectionId::NAME_BYTES_MAX);
        for name in ["a", "sales:per-day_2.x", &long] {
            assert_eq!(ProjectionId::new(name, NonZeroU32::MIN).unwrap().name(), name);
        }
        for name in ["", "a b", "ä", "a\0", "a/b", &format!("{long}n")] {
            let error = ProjectionId::new(name, NonZeroU32::MIN).unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{name}` cannot name")), "{error}");
        }
    }

    #[test]
    fn the_first_version_goes_without_saying() {
        let text = |version| {
            ProjectionId::new("balances", NonZeroU32::new(version).unwrap()).unwrap().to_string()
        };
        assert_eq!((text(1).as_str(), text(2).as_str()), ("balances", "balances, version 2"));
    }
}
