use super::{Audit, KnownSites, Place, Role, Watched, audit::Findings};
use crate::codec::{fingerprint::exact, format::Format};
use actum_model::CodecError;
use serde::{Serialize, de::DeserializeOwned};

/// Appends the bytes of `value`, which `F` reads back as the same value.
///
/// # Errors
/// [`CodecError`] when it has none; nothing is appended then.
pub(in crate::codec) fn encode<F, T>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError>
where
    F: Format,
    T: Serialize + DeserializeOwned + 'static,
{
    let start = out.len();
    let audit = Audit::<F>::new(KnownSites::of::<(F, T)>());
    audit.visit(Place::ROOT.site);
    let root = Watched { value, audit: &audit, place: &Place::ROOT, role: Role::Value };
    let written = F::write(&root, out);
    let checked = written.and_then(|()| match audit.findings() {
        None => Ok(()),
        Some(findings) => read_back::<F, T>(value, &out[start..], &findings),
    });
    if checked.is_err() {
        out.truncate(start);
    }
    checked
}

#[cold]
fn read_back<F, T>(value: &T, bytes: &[u8], findings: &Findings) -> Result<(), CodecError>
where
    F: Format,
    T: Serialize + DeserializeOwned + 'static,
{
    let lost = match F::read::<T>(bytes) {
        Err(error) => format!("it cannot be read back: {error}"),
        Ok(back) if exact::<F, T>(value)? == exact::<F, T>(&back)? => {
            KnownSites::learn::<(F, T)>(&findings.untried);
            return Ok(());
        }
        Ok(_) => "it comes back as another value".to_owned(),
    };
    Err(CodecError::new(match &findings.doubt {
        Some((doubt, path)) if path.is_empty() => format!("the value {doubt}: {lost}"),
        Some((doubt, path)) => format!("`{path}` {doubt}: {lost}"),
        None => lost,
    }))
}
