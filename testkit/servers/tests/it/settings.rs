use actum_test_servers::{
    PostgresBinaries, PostgresServer, PostgresServerSettings, available, optional,
};

use crate::probes::{psql, server};

#[test]
fn parameters_reach_the_server_and_win_over_the_other_settings() {
    let settings = PostgresServerSettings::default()
        .with_fsync(true)
        .with_max_connections(20)
        .with_conf("max_connections", "17")
        .with_conf("log_line_prefix", "it's ");
    let Some(server) = server(settings) else { return };
    let show = "select current_setting('fsync'), current_setting('max_connections'), \
                current_setting('log_line_prefix')";
    let Some(shown) = psql(&server.url("postgres"), show) else { return };
    assert_eq!(shown.unwrap(), "on|17|it's");
}

#[test]
fn server_does_not_wait_for_the_disk_unless_set_to() {
    let Some(server) = server(PostgresServerSettings::default()) else { return };
    let show = "select current_setting('fsync'), current_setting('max_connections')";
    let Some(shown) = psql(&server.url("postgres"), show) else { return };
    assert_eq!(shown.unwrap(), "off|100");
}

#[test]
fn server_with_a_password_asks_for_it() {
    let Some(server) = server(PostgresServerSettings::default().with_password("p@ss/wörd")) else {
        return;
    };
    let Some(answer) = psql(&server.url("postgres"), "select 1") else { return };
    assert_eq!(answer.unwrap(), "1");
    let wrong = format!("postgres://actum:wrong@127.0.0.1:{}/postgres", server.port());
    let refused = psql(&wrong, "select 1").unwrap().unwrap_err();
    assert!(refused.contains("password authentication failed"), "{refused}");
}

#[test]
fn lines_of_hba_replace_those_that_trust() {
    let settings = PostgresServerSettings::default().with_hba("local all all trust");
    let Some(server) = server(settings) else { return };
    let Some(refused) = psql(&server.url("postgres"), "select 1") else { return };
    assert!(refused.unwrap_err().contains("no pg_hba.conf entry"));
}

#[test]
fn server_with_tls_speaks_it_and_without_hba_also_plainly() {
    let Some((certificate, key)) = self_signed() else { return };
    let Some(server) = server(PostgresServerSettings::default().with_tls(certificate, key)) else {
        return;
    };
    let used = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    for (mode, expected) in [("require", "t"), ("disable", "f")] {
        let url = format!("{}?sslmode={mode}", server.url("postgres"));
        let Some(ssl) = psql(&url, used) else { return };
        assert_eq!(ssl.unwrap(), expected);
    }
}

#[test]
fn environment_reaches_the_processes_of_the_server() {
    let settings = PostgresServerSettings::default().with_env("PGTZ", "Asia/Tokyo");
    let settings = settings.with_env("TZ", "Asia/Tokyo").with_conf("log_timezone", "UTC");
    let Some(server) = server(settings) else { return };
    // the only way to see it from inside: a program of the server's prints it
    let copy = "create temp table seen (line text); copy seen from program 'echo $TZ'; \
                select line from seen";
    let Some(seen) = psql(&server.url("postgres"), copy) else { return };
    assert_eq!(seen.unwrap().lines().last(), Some("Asia/Tokyo"));
}

#[test]
fn server_that_cannot_come_up_says_why_and_leaves_nothing() {
    let Some(binaries) = available(PostgresBinaries::find()) else { return };
    let settings = PostgresServerSettings::default().with_conf("shared_buffers", "many");
    let error = PostgresServer::start(&binaries, settings).unwrap_err().to_string();
    assert!(error.contains("shared_buffers"), "{error}");
}

#[test]
fn binaries_are_found_with_their_version() {
    let Some(binaries) = available(PostgresBinaries::find()) else { return };
    assert!(binaries.version() >= 9, "{}", binaries.version());
    for program in ["postgres", "initdb"] {
        assert!(binaries.program(program).is_file());
        assert!(binaries.program(program).parent().unwrap().canonicalize().unwrap().is_dir());
    }
    assert!(PostgresBinaries::within(std::path::Path::new("/nowhere")).is_err());
}

/// A certificate and its key, made by the `openssl` of the machine, if there is one.
fn self_signed() -> Option<(String, String)> {
    let directory = tempfile::tempdir().unwrap();
    let mut openssl = std::process::Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]);
    openssl.args(["-keyout", "key", "-out", "certificate"]).current_dir(&directory);
    let made = openssl.output().map_err(|_| actum_test_servers::ServerError::NotInstalled {
        program: "openssl",
        hint: "it makes the certificate of this test",
    });
    assert!(optional(made)?.status.success());
    let read = |name| std::fs::read_to_string(directory.path().join(name)).unwrap();
    Some((read("certificate"), read("key")))
}
