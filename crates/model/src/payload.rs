use bytes::Bytes;
use std::{borrow::Cow, error::Error, fmt};
use xxhash_rust::xxh3::xxh3_64;

/// A value that is stored or sent: it names its codec, its manifest and its schema version.
///
/// # Evolution
/// Stored payloads stay readable for ever. When the format of a type changes, raise [`Payload::SCHEMA_VERSION`] and
/// lift the old versions in [`Payload::upcast`], which every path that reads goes through.
///
/// # Examples
/// ```
/// # use actum_model as actum;
/// use actum::{Codec, CodecError, DecodeError, Payload, StoredPayload};
///
/// struct Opened { owner: String }
///
/// /// Any `Codec` will do; `actum` brings `Json`, `Cbor` and `Prost`.
/// enum Utf8 {}
/// impl Codec<Opened> for Utf8 {
///     const NAME: &'static str = "utf8";
///     fn encode(value: &Opened, out: &mut Vec<u8>) -> Result<(), CodecError> {
///         out.extend_from_slice(value.owner.as_bytes());
///         Ok(())
///     }
///     fn decode(bytes: &[u8]) -> Result<Opened, CodecError> {
///         let owner = String::from_utf8(bytes.to_vec());
///         Ok(Opened { owner: owner.map_err(CodecError::new)? })
///     }
/// }
///
/// impl Payload for Opened {
///     type Codec = Utf8;
///     const MANIFEST: &'static str = "opened";
///     const SCHEMA_VERSION: u32 = 2;
///     fn upcast(stored: &StoredPayload) -> Result<Self, DecodeError> {
///         match stored.schema_version {
///             // version 1 did not ask for an owner
///             1 => Ok(Opened { owner: "unknown".into() }),
///             _ => Err(stored.unreadable::<Self>()),
///         }
///     }
/// }
///
/// let stored = StoredPayload::encode(&Opened { owner: String::new() })?;
/// let old = StoredPayload { schema_version: 1, ..stored };
/// assert_eq!(old.decode::<Opened>()?.owner, "unknown");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored or sent: it is not a `Payload`",
    label = "`{Self}` is not a `Payload`",
    note = "name a codec and a manifest: `impl Payload for {Self} {{ type Codec = Json; const MANIFEST: &'static str = \"…\"; }}`",
    note = "or in one line: `actum::payload!(Json: {Self} = \"…\");`"
)]
pub trait Payload: Sized + Send + Sync + 'static {
    /// How values become bytes.
    type Codec: Codec<Self>;
    /// The stored name of the type: stable for ever, 1 to 255 bytes.
    const MANIFEST: &'static str;
    /// The version of the format that is written, from 1.
    const SCHEMA_VERSION: u32 = 1;

    /// The stored name of this value: [`Payload::MANIFEST`], or that with a dot and the name of the variant, such as
    /// `account.opened`, so that consumers can ask for some variants only.
    fn manifest(&self) -> &'static str {
        Self::MANIFEST
    }

    /// Reads what this type does not write any more: an older schema version, a former manifest, another codec.
    ///
    /// # Errors
    /// [`DecodeError`]; the default knows no former format.
    fn upcast(stored: &StoredPayload) -> Result<Self, DecodeError> {
        Err(stored.unreadable::<Self>())
    }
}

/// Turns values of `T` into bytes and back.
#[diagnostic::on_unimplemented(
    message = "the codec `{Self}` cannot encode `{T}`",
    label = "no codec of `{T}`",
    note = "`Json` and `Cbor` need `serde::Serialize + serde::de::DeserializeOwned`, `Prost` needs `prost::Message + Default`"
)]
pub trait Codec<T>: 'static {
    /// The stored name of the codec, 1 to 32 bytes.
    const NAME: &'static str;

    /// Appends the bytes of `value` to `out`.
    ///
    /// # Errors
    /// [`CodecError`] when the value has no encoding.
    fn encode(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Reads a value from all of `bytes`.
    ///
    /// # Errors
    /// [`CodecError`] when the bytes are no encoding of a value.
    fn decode(bytes: &[u8]) -> Result<T, CodecError>;

    /// A hash of the content of `value`, equal for equal values in every process and for ever: by it a command that comes
    /// again under the same command id is known to be the same.
    ///
    /// The default hashes the encoded bytes. A codec whose bytes may differ for equal values, for example because it
    /// writes the entries of a hash map in any order, brings its own.
    ///
    /// # Errors
    /// [`CodecError`] when the value has no encoding.
    fn fingerprint(value: &T) -> Result<u64, CodecError> {
        let mut bytes = Vec::new();
        Self::encode(value, &mut bytes)?;
        Ok(xxh3_64(&bytes))
    }
}

/// A payload as it is stored: bytes, and what is needed to read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPayload {
    /// The name of the codec that wrote the bytes.
    pub codec: Cow<'static, str>,
    /// The name of the type, or of its variant.
    pub manifest: Cow<'static, str>,
    /// The version of the format, from 1.
    pub schema_version: u32,
    /// The encoded value.
    pub bytes: Bytes,
}

impl StoredPayload {
    /// Encodes `value`.
    ///
    /// # Errors
    /// [`CodecError`] when the codec fails, or when the value's manifest is not of its type.
    pub fn encode<T: Payload>(value: &T) -> Result<Self, CodecError> {
        let mut bytes = Vec::new();
        T::Codec::encode(value, &mut bytes)?;
        let manifest = value.manifest();
        if !is_manifest_of::<T>(manifest) {
            let expected = T::MANIFEST;
            return Err(CodecError::new(format!(
                "the manifest `{manifest}` is neither `{expected}` nor `{expected}.…`"
            )));
        }
        Ok(Self {
            codec: Cow::Borrowed(<T::Codec as Codec<T>>::NAME),
            manifest: Cow::Borrowed(manifest),
            schema_version: T::SCHEMA_VERSION,
            bytes: bytes.into(),
        })
    }

    /// Decodes the value, through [`Payload::upcast`] where it is not in today's format.
    ///
    /// # Errors
    /// [`DecodeError`] when the payload is of another type, of a newer schema version, or damaged.
    pub fn decode<T: Payload>(&self) -> Result<T, DecodeError> {
        let known = is_manifest_of::<T>(&self.manifest);
        if known && self.schema_version > T::SCHEMA_VERSION {
            return Err(DecodeError::NewerSchema {
                manifest: self.manifest.clone(),
                version: self.schema_version,
                known: T::SCHEMA_VERSION,
            });
        }
        if known
            && self.schema_version == T::SCHEMA_VERSION
            && self.codec == <T::Codec as Codec<T>>::NAME
        {
            return self.decode_as::<T, T::Codec>();
        }
        T::upcast(self)
    }

    /// Decodes the bytes with codec `C` as a `V`, whatever the manifest says: for [`Payload::upcast`].
    ///
    /// # Errors
    /// [`DecodeError::Damaged`] when the bytes are no encoding of a `V`.
    pub fn decode_as<V, C: Codec<V>>(&self) -> Result<V, DecodeError> {
        C::decode(&self.bytes).map_err(|source| DecodeError::Damaged {
            manifest: self.manifest.clone(),
            version: self.schema_version,
            codec: C::NAME,
            source,
        })
    }

    /// The error that says why `T` cannot read this payload without an upcast.
    #[must_use]
    pub fn unreadable<T: Payload>(&self) -> DecodeError {
        let (manifest, codec) = (self.manifest.clone(), self.codec.clone());
        if !is_manifest_of::<T>(&self.manifest) {
            DecodeError::UnknownManifest { manifest, expected: T::MANIFEST }
        } else if self.schema_version != T::SCHEMA_VERSION {
            DecodeError::OlderSchema {
                manifest,
                version: self.schema_version,
                known: T::SCHEMA_VERSION,
            }
        } else {
            DecodeError::UnknownCodec { manifest, codec, expected: <T::Codec as Codec<T>>::NAME }
        }
    }
}

fn is_manifest_of<T: Payload>(manifest: &str) -> bool {
    is_variant_of(manifest, T::MANIFEST)
}

/// Whether a manifest is that of a type, or of one of its variants.
pub(crate) fn is_variant_of(manifest: &str, of_type: &str) -> bool {
    match manifest.strip_prefix(of_type) {
        Some(rest) => rest.is_empty() || rest.starts_with('.'),
        None => false,
    }
}

/// Why a codec failed.
#[derive(Debug)]
pub struct CodecError(Box<dyn Error + Send + Sync>);

impl CodecError {
    /// Wraps the codec's own error, or a message.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for CodecError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Why a stored payload cannot be read as a type.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The payload is of another type.
    #[error("the stored manifest is `{manifest}`, expected `{expected}`")]
    UnknownManifest {
        /// The stored manifest.
        manifest: Cow<'static, str>,
        /// The manifest of the type that was to be read.
        expected: &'static str,
    },
    /// The entity lists no command of this manifest.
    #[error("the command `{manifest}` is not listed, the entity handles {}", quoted(listed))]
    UnlistedCommand {
        /// The stored manifest.
        manifest: Cow<'static, str>,
        /// The manifests of the commands it lists.
        listed: &'static [&'static str],
    },
    /// A newer program wrote it.
    #[error("`{manifest}` is stored in schema version {version}, this program knows up to {known}")]
    NewerSchema {
        /// The stored manifest.
        manifest: Cow<'static, str>,
        /// The stored schema version.
        version: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// An older program wrote it, and the type has no upcast for it.
    #[error(
        "`{manifest}` is stored in schema version {version}, and nothing lifts it to {known}: write `upcast`"
    )]
    OlderSchema {
        /// The stored manifest.
        manifest: Cow<'static, str>,
        /// The stored schema version.
        version: u32,
        /// The version this program writes.
        known: u32,
    },
    /// Another codec wrote it, and the type has no upcast for it.
    #[error("`{manifest}` is stored with the codec `{codec}`, expected `{expected}`")]
    UnknownCodec {
        /// The stored manifest.
        manifest: Cow<'static, str>,
        /// The stored codec.
        codec: Cow<'static, str>,
        /// The codec of the type that was to be read.
        expected: &'static str,
    },
    /// The bytes are no encoding of the type: they are damaged, or the type has changed without a new
    /// [`Payload::SCHEMA_VERSION`].
    #[error("`{manifest}`, schema version {version}, is not valid {codec}")]
    Damaged {
        /// The stored manifest.
        manifest: Cow<'static, str>,
        /// The stored schema version.
        version: u32,
        /// The codec that failed.
        codec: &'static str,
        /// What it said.
        source: CodecError,
    },
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Names the codec and the manifest of payloads, one line each.
///
/// # Examples
/// ```
/// # use actum_model::{Codec, CodecError, Payload};
/// # struct Opened;
/// # struct Deposited;
/// # enum Json {}
/// # impl<T: Default> Codec<T> for Json {
/// #     const NAME: &'static str = "json";
/// #     fn encode(_: &T, _: &mut Vec<u8>) -> Result<(), CodecError> { Ok(()) }
/// #     fn decode(_: &[u8]) -> Result<T, CodecError> { Ok(T::default()) }
/// # }
/// # impl Default for Opened { fn default() -> Self { Opened } }
/// # impl Default for Deposited { fn default() -> Self { Deposited } }
/// # use actum_model as actum;
/// actum::payload!(Json:
///     Opened = "opened",
///     Deposited = "deposited" version 2,
/// );
///
/// assert_eq!((Opened::MANIFEST, Opened::SCHEMA_VERSION), ("opened", 1));
/// assert_eq!((Deposited::MANIFEST, Deposited::SCHEMA_VERSION), ("deposited", 2));
/// ```
#[macro_export]
macro_rules! payload {
    ($codec:ty: $($type:ty = $manifest:literal $(version $version:literal)?),+ $(,)?) => { $(
        #[diagnostic::do_not_recommend]
        impl $crate::Payload for $type {
            type Codec = $codec;
            const MANIFEST: &'static str = $manifest;
            $(const SCHEMA_VERSION: u32 = $version;)?
        }
    )+ };
}
