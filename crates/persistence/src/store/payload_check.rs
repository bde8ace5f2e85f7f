use super::{
    StoreError,
    bounds::{CODEC_BYTES_MAX, MANIFEST_BYTES_MAX, PAYLOAD_BYTES_MAX},
};
use actum_model::{EntityKey, StoredPayload};

/// Checks the payloads of a request, one after the other.
///
/// Most of them have the same names, and those are the same text in memory: they are looked at once.
#[derive(Default)]
pub(super) struct PayloadCheck<'a> {
    codec: Option<&'a str>,
    manifest: Option<&'a str>,
}

impl<'a> PayloadCheck<'a> {
    /// Checks the next payload, one of `entity`.
    pub(super) fn check(
        &mut self,
        entity: &EntityKey,
        payload: &'a StoredPayload,
    ) -> Result<(), StoreError> {
        let (codec, manifest) = (&*payload.codec, &*payload.manifest);
        if !is_same(self.codec, codec) {
            check_name("the name of a codec", codec, CODEC_BYTES_MAX)
                .map_err(|what| of(entity, &what))?;
            self.codec = Some(codec);
        }
        if !is_same(self.manifest, manifest) {
            check_name("a manifest", manifest, MANIFEST_BYTES_MAX)
                .map_err(|what| of(entity, &what))?;
            self.manifest = Some(manifest);
        }
        if payload.schema_version == 0 {
            return Err(of(entity, "schema versions count from 1, this one is 0"));
        }
        check_bytes(entity, "a payload", payload.bytes.len(), PAYLOAD_BYTES_MAX)
    }
}

/// Whether both are one text in memory.
fn is_same(known: Option<&str>, name: &str) -> bool {
    known.is_some_and(|known| std::ptr::eq(known, name))
}

/// Checks that a name has 1 to `max` bytes without NUL, and says otherwise what is wrong with it.
pub(super) fn check_name(what: &str, name: &str, max: usize) -> Result<(), String> {
    let bytes = name.len();
    if bytes == 0 || bytes > max {
        return Err(format!("{what} must have 1 to {max} bytes, this one has {bytes}"));
    }
    if name.contains('\0') {
        return Err(format!("{what} must not contain NUL, this one does"));
    }
    Ok(())
}

/// Checks that something of `entity` is not too large.
pub(super) fn check_bytes(
    entity: &EntityKey,
    what: &str,
    bytes: usize,
    max: usize,
) -> Result<(), StoreError> {
    if bytes > max {
        let what = format!("{what} must have at most {max} bytes, this one has {bytes}");
        return Err(of(entity, &what));
    }
    Ok(())
}

/// The refusal of something of `entity`.
pub(super) fn of(entity: &EntityKey, what: &str) -> StoreError {
    StoreError::invalid(format!("{entity}: {what}"))
}
