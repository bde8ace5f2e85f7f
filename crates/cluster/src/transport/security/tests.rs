use super::{TlsError, TlsFiles, tls_watch::TlsWatch};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

/// An authority that signs certificates for `node`.
struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// A certificate and its key.
    fn sign(&self, lasts: Duration) -> (String, String) {
        let mut params = CertificateParams::new(vec!["node".to_owned()]).unwrap();
        params.not_after = (SystemTime::now() + lasts).into();
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

const YEAR: Duration = Duration::from_secs(365 * 86_400);

fn files(dir: &Path) -> TlsFiles {
    TlsFiles::new(dir.join("node.pem"), dir.join("node.key"), dir.join("authorities.pem"))
}

fn write(dir: &Path, certificate: &str, key: &str, authorities: &str) {
    fs::write(dir.join("node.pem"), certificate).unwrap();
    fs::write(dir.join("node.key"), key).unwrap();
    fs::write(dir.join("authorities.pem"), authorities).unwrap();
}

/// A directory with files that fit together, and what has signed them.
fn directory() -> (TempDir, Authority) {
    let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let (certificate, key) = authority.sign(YEAR);
    write(dir.path(), &certificate, &key, &authority.certificate.pem());
    (dir, authority)
}

#[test]
fn files_that_cannot_be_used_are_named_at_the_start() {
    let (dir, authority) = directory();
    let open = || TlsWatch::open(files(dir.path())).map(|_| ()).unwrap_err();
    let (certificate, key) = authority.sign(YEAR);
    let authorities = authority.certificate.pem();
    let other_key = authority.sign(YEAR).1;
    write(dir.path(), &certificate, &other_key, &authorities);
    assert!(matches!(open(), TlsError::Mismatch(_)), "{}", open());
    write(dir.path(), "", &key, &authorities);
    assert_eq!(
        open().to_string(),
        format!("{} holds no certificate as PEM", dir.path().join("node.pem").display())
    );
    write(dir.path(), &certificate, "no key", &authorities);
    assert!(matches!(open(), TlsError::NotPem { wanted: "private key", .. }), "{}", open());
    write(dir.path(), &certificate, &key, "");
    assert!(matches!(open(), TlsError::NotPem { wanted: "certificate", .. }), "{}", open());
    fs::remove_file(dir.path().join("node.key")).unwrap();
    assert_eq!(
        open().to_string(),
        format!("{} cannot be read", dir.path().join("node.key").display())
    );
    let (dir, _authority) = directory();
    let nameless = files(dir.path()).with_peer_name("not a name");
    assert!(matches!(TlsWatch::open(nameless), Err(TlsError::Name(_))));
}

#[test]
fn changed_files_are_taken_when_they_were_the_same_twice() {
    let (dir, authority) = directory();
    let watch = TlsWatch::open(files(dir.path())).unwrap();
    assert_eq!((watch.look(), watch.look()), (None, None), "nothing has changed");
    let (certificate, key) = authority.sign(YEAR);
    // two authorities overlap while certificates are replaced
    let authorities = authority.certificate.pem() + &Authority::new().certificate.pem();
    write(dir.path(), &certificate, &key, &authorities);
    assert_eq!(watch.look(), None, "someone may be writing");
    assert_eq!(watch.look(), Some(2));
    assert_eq!((watch.look(), watch.current().generation), (None, 2));
}

#[test]
fn half_of_a_pair_is_never_taken_and_the_whole_pair_is() {
    let (dir, authority) = directory();
    let watch = TlsWatch::open(files(dir.path())).unwrap();
    let (certificate, key) = authority.sign(YEAR);
    let written = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let looks = || [watch.look(), watch.look(), watch.look()];
    written("node.pem", &certificate);
    assert_eq!(looks(), [None; 3], "the key is that of the old one");
    written("node.pem", &certificate[..certificate.len() / 2]);
    assert_eq!(looks(), [None; 3], "half a file");
    written("node.pem", &certificate);
    fs::remove_file(dir.path().join("node.key")).unwrap();
    assert_eq!(looks(), [None; 3], "no key");
    assert_eq!(watch.current().generation, 1);
    written("node.key", &key);
    assert_eq!(looks(), [None, Some(2), None]);
}

#[test]
fn a_certificate_is_warned_of_two_weeks_before_it_expires_and_now_and_then() {
    let day = Duration::from_secs(86_400);
    let (dir, authority) = directory();
    let (certificate, key) = authority.sign(30 * day);
    write(dir.path(), &certificate, &key, &authority.certificate.pem());
    let watch = TlsWatch::open(files(dir.path())).unwrap();
    let now = SystemTime::now();
    assert!(!watch.warn_of_expiry(now + 15 * day));
    assert!(watch.warn_of_expiry(now + 17 * day));
    assert!(!watch.warn_of_expiry(now + 17 * day + day / 24), "not at every look");
    assert!(watch.warn_of_expiry(now + 18 * day));
    assert!(watch.warn_of_expiry(now + 40 * day), "it has expired");
}
