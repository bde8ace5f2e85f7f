//! A private server that lets no one in without a password and offers TLS.

use actum_test_servers::{
    PostgresBinaries, PostgresServer, PostgresServerSettings, available, unique_name,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{path::PathBuf, sync::OnceLock};
use tempfile::TempDir;

/// The password of everybody. No message may have it, nor what it is in a URL.
pub(crate) const PASSWORD: &str = "hunter2/Zauber wort";
const IN_A_URL: &str = "hunter2%2FZauber%20wort";

/// The server, started by the test that needs it first.
pub(crate) struct Guarded {
    server: PostgresServer,
    directory: TempDir,
}

/// The server that the tests of this process share; its name in its certificate is `127.0.0.1`. None where there is no
/// PostgreSQL to start, which was said then.
pub(crate) fn guarded() -> Option<&'static Guarded> {
    static SERVER: OnceLock<Option<Guarded>> = OnceLock::new();
    SERVER.get_or_init(|| available(PostgresBinaries::find()).map(|found| start(&found))).as_ref()
}

fn start(binaries: &PostgresBinaries) -> Guarded {
    let (root, [certificate, key]) = certificates();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("root.pem"), root).unwrap();
    std::fs::write(directory.path().join("other-root.pem"), certificates().0).unwrap();
    let settings = PostgresServerSettings::default()
        .with_password(PASSWORD)
        .with_tls(certificate, key)
        .with_hba("host replication all 127.0.0.1/32 scram-sha-256")
        .with_hba("hostnossl tls_only all 127.0.0.1/32 reject")
        .with_hba("host all all 127.0.0.1/32 scram-sha-256");
    Guarded { server: PostgresServer::start(binaries, settings).unwrap(), directory }
}

/// A root, and the certificate and the key of a server that it vouches for.
fn certificates() -> (String, [String; 2]) {
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    let certificate = root.self_signed(&root_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let server = server.signed_by(&key, &Issuer::new(root, root_key)).unwrap();
    (certificate.pem(), [server.pem(), key.serialize_pem()])
}

impl Guarded {
    pub(crate) fn server(&self) -> &PostgresServer {
        &self.server
    }

    /// `user@host:port/database`, as errors name it.
    pub(crate) fn address(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.server.port())
    }

    /// The URL of a database for `user`, with the password of everybody.
    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        let address = self.address(user, database);
        address.replacen('@', &format!(":{IN_A_URL}@"), 1)
    }

    /// A file with the root that vouches for the server.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("root.pem")
    }

    /// A file with a root that does not.
    pub(crate) fn other_root(&self) -> PathBuf {
        self.directory.path().join("other-root.pem")
    }

    /// A connection of the superuser.
    pub(crate) async fn connect(&self, database: &str) -> PgConnection {
        PgConnection::connect(&self.url(self.server.user(), database)).await.unwrap()
    }

    /// Runs statements as the superuser.
    pub(crate) async fn run(&self, database: &str, statements: impl Into<String>) {
        let mut connection = self.connect(database).await;
        let statements = AssertSqlSafe(statements.into());
        sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// A new database, made with `how`.
    pub(crate) async fn database(&self, how: &str) -> String {
        let name = unique_name("bank");
        self.run("postgres", format!("CREATE DATABASE {name} {how}")).await;
        name
    }

    /// A new user that may log in.
    pub(crate) async fn user(&self) -> String {
        let name = unique_name("teller");
        self.run("postgres", format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")).await;
        name
    }
}
