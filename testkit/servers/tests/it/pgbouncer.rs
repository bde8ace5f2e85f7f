use actum_test_servers::{PgBouncer, PgBouncerSettings, PostgresServerSettings, available};

use crate::probes::{listens, lives, psql, server};

#[test]
fn clients_share_the_connections_of_the_proxy() {
    let Some(program) = available(PgBouncer::find()) else { return };
    let Some(server) = server(PostgresServerSettings::default()) else { return };
    let settings = PgBouncerSettings::default().with_default_pool_size(1);
    let bouncer = PgBouncer::start(&program, &server, &settings).unwrap();
    let ask = || psql(&bouncer.url("postgres"), "select current_user, pg_backend_pid()");
    let Some(first) = ask() else { return };
    let first = first.unwrap();
    assert!(first.starts_with("actum|"), "{first}");
    for _ in 0..3 {
        assert_eq!(ask().unwrap().unwrap(), first, "another client, another backend");
    }
}

#[test]
fn proxy_knows_the_password_of_its_server() {
    let Some(program) = available(PgBouncer::find()) else { return };
    let Some(server) = server(PostgresServerSettings::default().with_password("it's")) else {
        return;
    };
    let bouncer = PgBouncer::start(&program, &server, &PgBouncerSettings::default()).unwrap();
    let Some(answer) = psql(&bouncer.url("postgres"), "select 1") else { return };
    assert_eq!(answer.unwrap(), "1");
}

#[test]
fn proxy_ends_when_dropped_and_the_server_does_not() {
    let Some(program) = available(PgBouncer::find()) else { return };
    let Some(mut server) = server(PostgresServerSettings::default()) else { return };
    let bouncer = PgBouncer::start(&program, &server, &PgBouncerSettings::default()).unwrap();
    let (pid, port) = (bouncer.pid(), bouncer.port());
    assert!(lives(pid) && listens(port));
    drop(bouncer);
    assert!(!lives(pid) && !listens(port));
    assert!(server.is_running());
}

#[test]
fn proxy_that_cannot_come_up_says_why() {
    let Some(program) = available(PgBouncer::find()) else { return };
    let Some(server) = server(PostgresServerSettings::default()) else { return };
    let settings = PgBouncerSettings::default().with_conf("pool_mode", "everything");
    let error = PgBouncer::start(&program, &server, &settings).unwrap_err().to_string();
    assert!(error.contains("pool_mode"), "{error}");
}
