//! What the URL of a database says.
//!
//! What it asks for is done or refused, never skipped: a misspelt `sslmode` must not end in a connection that
//! anybody can read. A refusal does not repeat what could be a password, or a part of one that was not encoded.

use crate::fault;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::{fs::File, net::IpAddr, str::FromStr};

/// The parameters it may have.
const KNOWN: [&str; 13] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Reads a URL, or says why that cannot be done.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, String> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err("it does not begin with `postgres://` or `postgresql://`".to_owned());
    }
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = place.split_once('/').unwrap_or((place, ""));
    if rest.contains('#') || database.contains(['/', '@']) {
        return Err(
            "`#`, `/`, `?` and `@` in a user, a password or the name of a database are written \
            `%23`, `%2F`, `%3F` and `%40`"
                .to_owned(),
        );
    }
    let mut verifies = false;
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        // without a user in its place this may be the end of a password with a question mark
        check_name(name, authority.contains('@') || !parameters.contains('@'))?;
        check_value(name, &decoded(value))?;
        verifies |= name == "sslrootcert";
    }
    // of the fault it does not repeat the URL
    let options = PgConnectOptions::from_str(url);
    let options = options.map_err(|error| fault::cause(error).to_string())?;
    // as libpq has it: who names a root wants it to be asked
    let asks = verifies && matches!(options.get_ssl_mode(), PgSslMode::Require);
    let options = if asks { options.ssl_mode(PgSslMode::VerifyCa) } else { options };
    check_tls(options.get_ssl_mode(), cfg!(feature = "tls"))?;
    Ok(options)
}

/// What asks for TLS is refused where there is none.
fn check_tls(mode: PgSslMode, has_tls: bool) -> Result<(), String> {
    match mode {
        _ if has_tls => Ok(()),
        PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer => Ok(()),
        PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull => Err(
            "it asks for TLS, which this program was built without: use the feature `postgres` of \
            `actum` in place of `postgres-without-tls`"
                .to_owned(),
        ),
    }
}

fn check_name(name: &str, is_certain: bool) -> Result<(), String> {
    let is_known = KNOWN.contains(&name) || name.starts_with("options[") && name.ends_with(']');
    match (is_known, is_certain) {
        (true, _) => Ok(()),
        (false, true) => {
            let known = KNOWN.join(", ");
            Err(format!("it has no parameter `{name}`; those it may have are {known}"))
        }
        (false, false) => Err("a `?` in a password is written `%3F`".to_owned()),
    }
}

fn check_value(name: &str, value: &str) -> Result<(), String> {
    match name {
        "sslmode" if !SSL_MODES.contains(&value) => {
            Err(format!("`sslmode` is `{value}`, it must be one of {}", SSL_MODES.join(", ")))
        }
        "port" if !value.parse().is_ok_and(|port: u16| port > 0) => {
            Err(format!("`port` is `{value}`, it must be 1 to 65535"))
        }
        "hostaddr" if value.parse::<IpAddr>().is_err() => {
            Err(format!("`hostaddr` is `{value}`, which is no address"))
        }
        "statement-cache-capacity" if value.parse::<usize>().is_err() => {
            Err(format!("`{name}` is `{value}`, which is no number"))
        }
        // a certificate may stand there itself
        "sslrootcert" | "sslcert" | "sslkey" if !value.trim().starts_with("-----BEGIN") => {
            // a key is not repeated: it may stand there itself and not look like one
            let file = if name == "sslkey" { String::new() } else { format!(" `{value}`") };
            let opened = File::open(value).map(drop);
            opened.map_err(|error| {
                format!("`{name}` names a file{file} that cannot be read: {error}")
            })
        }
        _ => Ok(()),
    }
}

/// The value of a parameter: `+` is a space, `%41` a byte.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let (byte, used) = match (first, byte) {
            (b'%', Some(byte)) => (byte, 3),
            (b'+', _) => (b' ', 1),
            _ => (*first, 1),
        };
        bytes.push(byte);
        rest = &rest[used..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_tls_is_refused_where_there_is_none() {
        for mode in [PgSslMode::Disable, PgSslMode::Allow, PgSslMode::Prefer] {
            assert_eq!(check_tls(mode, false), Ok(()));
        }
        for mode in [PgSslMode::Require, PgSslMode::VerifyCa, PgSslMode::VerifyFull] {
            assert_eq!(check_tls(mode, true), Ok(()));
            let why = check_tls(mode, false).unwrap_err();
            assert!(why.contains("`postgres-without-tls`"), "{why}");
        }
        let here = options("postgres://bank@db.example/bank?sslmode=require");
        assert_eq!(here.is_ok(), cfg!(feature = "tls"));
    }

    fn why(url: &str) -> String {
        options(url).expect_err(url)
    }

    #[test]
    fn what_it_says_is_taken() {
        let url = "postgresql://me%40here:se%2Fcret@db.example:5433/ba%20nk?sslmode=verify-full\
            &application_name=a+b&options=-csearch_path%3Dx&options[geqo]=off";
        let options = options(url).unwrap();
        assert_eq!((options.get_username(), options.get_host()), ("me@here", "db.example"));
        assert_eq!((options.get_port(), options.get_database()), (5433, Some("ba nk")));
        assert!(matches!(options.get_ssl_mode(), PgSslMode::VerifyFull));
        assert_eq!(options.get_options(), Some("-csearch_path=x -c geqo=off"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (url, says) in [
            ("", "does not begin with"),
            ("postgres", "does not begin with"),
            ("mysql://a/b", "does not begin with"),
            ("POSTGRES://a/b", "does not begin with"),
            ("postgres://host:port/bank", "invalid port number"),
            ("postgres://host:99999/bank", "invalid port number"),
            ("postgres://a b/bank", "invalid domain character"),
            ("postgres://[::1/bank", "invalid IPv6 address"),
            ("postgres://host/bank?sslmode=on", "`sslmode` is `on`, it must be one of disable"),
            ("postgres://host/bank?sslmod=require", "no parameter `sslmod`"),
            ("postgres://host/bank?port=x", "`port` is `x`"),
            ("postgres://host/bank?port=0", "`port` is `0`"),
            ("postgres://host/bank?hostaddr=db", "`hostaddr` is `db`"),
            ("postgres://host/bank?sslrootcert=/no/such%2ffile", "names a file `/no/such/file`"),
        ] {
            assert!(why(url).contains(says), "{url}: {}", why(url));
        }
    }

    #[test]
    fn a_password_that_was_not_encoded_is_not_repeated() {
        for url in [
            "postgres://me:12#hunter2@host/bank",
            "postgres://me:12/hunter2@host/bank",
            "postgres://me:12?hunter2@host/bank",
            "postgres://me:12?hunter2=1@host/bank",
            "postgres://me:12?hunter2&x=/@host/bank",
            "postgres://me:hunter2/12@host/bank",
            "postgres://me:hunter2?12@host/bank",
            "postgres://me:hunter2#12@host/bank",
            "hunter2@host",
            "postgres:/me:hunter2@host",
        ] {
            assert!(!why(url).contains("hunter2"), "{url}: {}", why(url));
        }
        let options = options("postgres://me:hunt@er2@host/bank").unwrap();
        assert_eq!((options.get_host(), options.get_database()), ("host", Some("bank")));
    }

    #[test]
    fn a_root_that_is_named_is_asked() {
        let pem = "-----BEGIN%20CERTIFICATE-----x-----";
        let options =
            options(&format!("postgres://h/b?sslrootcert={pem}&sslmode=require")).unwrap();
        assert!(matches!(options.get_ssl_mode(), PgSslMode::VerifyCa));
    }
}
