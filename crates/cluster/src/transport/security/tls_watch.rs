use super::{
    TlsError, TlsFiles,
    tls_identity::{TlsFileBytes, TlsIdentity},
};
use actum_persistence::error_chain::full_text;
use parking_lot::{Mutex, RwLock};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// How long before a certificate expires that is warned of, and how often.
const EXPIRES_SOON: Duration = Duration::from_secs(14 * 86_400);
const WARN_INTERVAL: Duration = Duration::from_secs(6 * 3_600);

/// The certificates of a node, as its files are.
pub(in crate::transport) struct TlsWatch {
    files: TlsFiles,
    current: RwLock<Arc<TlsIdentity>>,
    looked: Mutex<Looked>,
}

/// What the last looks at the files have shown.
struct Looked {
    /// What is in use.
    taken: TlsFileBytes,
    /// What was there that is not in use, and whether it was tried.
    other: Option<(TlsFileBytes, bool)>,
    /// Whether it was logged that the files cannot be read.
    unreadable: bool,
    warned: Option<SystemTime>,
}

impl TlsWatch {
    pub(in crate::transport) fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let taken = TlsFileBytes::read(&files)?;
        let current = RwLock::new(Arc::new(TlsIdentity::new(&files, &taken, 1)?));
        let looked = Looked { taken, other: None, unreadable: false, warned: None };
        Ok(Self { files, current, looked: Mutex::new(looked) })
    }

    pub(in crate::transport) fn reload_interval(&self) -> Duration {
        self.files.reload_interval
    }

    /// What connections are made with now.
    pub(in crate::transport) fn current(&self) -> Arc<TlsIdentity> {
        self.current.read().clone()
    }

    /// Looks at the files. Takes what is in them when it has changed, was the same at the look before, and fits together.
    /// Returns the generation of what was taken. Reads files: not for a thread that must not block.
    pub(in crate::transport) fn look(&self) -> Option<u64> {
        let mut looked = self.looked.lock();
        let bytes = match TlsFileBytes::read(&self.files) {
            Ok(bytes) => bytes,
            Err(error) => {
                if !std::mem::replace(&mut looked.unreadable, true) {
                    self.not_taken(&error);
                }
                return None;
            }
        };
        looked.unreadable = false;
        if bytes == looked.taken {
            looked.other = None;
            return None;
        }
        match &mut looked.other {
            Some((seen, is_tried)) if *seen == bytes => {
                if std::mem::replace(is_tried, true) {
                    return None;
                }
            }
            other => {
                *other = Some((bytes, false));
                return None;
            }
        }
        let generation = self.current().generation + 1;
        match TlsIdentity::new(&self.files, &bytes, generation) {
            Ok(identity) => {
                *self.current.write() = Arc::new(identity);
                *looked = Looked { taken: bytes, other: None, unreadable: false, warned: None };
                tracing::info!(certificate = %self.files.certificate.display(), "new certificates are in use");
                Some(generation)
            }
            Err(error) => {
                self.not_taken(&error);
                None
            }
        }
    }

    fn not_taken(&self, error: &TlsError) {
        let error = full_text(error);
        tracing::warn!(error, "changed certificates are not taken, those from before stay in use");
    }

    /// Warns when the certificate in use expires soon, or has. Returns whether it did.
    pub(in crate::transport) fn warn_of_expiry(&self, now: SystemTime) -> bool {
        let Some(expires) = self.current().expires else { return false };
        let left = expires.duration_since(now).unwrap_or_default();
        let mut looked = self.looked.lock();
        let is_due = looked
            .warned
            .is_none_or(|last| now.duration_since(last).unwrap_or(WARN_INTERVAL) >= WARN_INTERVAL);
        if left >= EXPIRES_SOON || !is_due {
            return false;
        }
        looked.warned = Some(now);
        let (certificate, hours) = (self.files.certificate.display(), left.as_secs() / 3_600);
        tracing::warn!(%certificate, hours, "the certificate of the node expires soon");
        true
    }
}
