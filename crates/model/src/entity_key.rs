use crate::{InvalidId, Partition, PartitionCount, check_id, partition_hash};
use std::{borrow::Cow, fmt, hash::Hash, hash::Hasher, sync::Arc};

/// The longest name of a kind, in bytes.
pub const KIND_BYTES_MAX: usize = 64;

/// Names one entity in a journal: its kind and the text of its id. Cheap to clone.
///
/// The hash that places the entity is computed once, when the key is made.
#[derive(Clone)]
pub struct EntityKey(Arc<KeyParts>);

struct KeyParts {
    hash: u64,
    kind: Cow<'static, str>,
    id: Box<str>,
}

impl EntityKey {
    /// Checks and joins a kind and an id.
    ///
    /// # Errors
    /// [`InvalidKey`] when the kind or the id is empty, too long or contains NUL.
    pub fn new(
        kind: impl Into<Cow<'static, str>>,
        id: impl Into<Box<str>>,
    ) -> Result<Self, InvalidKey> {
        let (kind, id) = (kind.into(), id.into());
        check_kind(&kind)?;
        check_id(&id)?;
        let hash = partition_hash(&kind, &id);
        Ok(Self(Arc::new(KeyParts { hash, kind, id })))
    }

    /// The kind of the entity.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The text of its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The stable hash of kind and id, see [`partition_hash`].
    #[must_use]
    pub fn hash64(&self) -> u64 {
        self.0.hash
    }

    /// The partition the entity belongs to, of `count`.
    #[must_use]
    pub fn partition(&self, count: PartitionCount) -> Partition {
        Partition::of_hash(self.0.hash, count)
    }
}

impl PartialEq for EntityKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.hash == other.0.hash
                && self.0.id == other.0.id
                && self.0.kind == other.0.kind)
    }
}

impl Eq for EntityKey {}

impl Hash for EntityKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl PartialOrd for EntityKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EntityKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.kind(), self.id()).cmp(&(other.kind(), other.id()))
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.kind, self.0.id)
    }
}

impl fmt::Debug for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntityKey({self})")
    }
}

/// Why a kind and an id are not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// The kind is empty, longer than [`KIND_BYTES_MAX`] bytes or contains NUL.
    #[error(
        "`{kind}` cannot name a kind of entity: it needs 1 to {KIND_BYTES_MAX} bytes without NUL"
    )]
    Kind {
        /// The kind, with NUL escaped.
        kind: String,
    },
    /// The id cannot name an entity.
    #[error(transparent)]
    Id(#[from] InvalidId),
}

/// Checks what every kind must keep to.
///
/// # Errors
/// [`InvalidKey::Kind`] when the name is empty, longer than [`KIND_BYTES_MAX`] bytes or contains NUL.
pub fn check_kind(kind: &str) -> Result<(), InvalidKey> {
    if kind.is_empty() || kind.len() > KIND_BYTES_MAX || kind.contains('\0') {
        return Err(InvalidKey::Kind { kind: kind.escape_debug().to_string() });
    }
    Ok(())
}
