use std::{io::Write, net::TcpListener, thread};

use actum_test_servers::{NatsServer, NatsServerSettings, available};

use crate::probes::{listens, lives};

#[test]
fn nats_server_has_streams_and_ends_when_dropped() {
    let Some(program) = available(NatsServer::find()) else { return };
    let server = NatsServer::start(&program, &NatsServerSettings::default()).unwrap();
    let (pid, port) = (server.pid().unwrap(), server.port());
    assert!(lives(pid) && listens(port));
    assert!(server.log().contains("JetStream"), "{}", server.log());
    drop(server);
    assert!(!lives(pid) && !listens(port));
}

#[test]
fn nats_server_that_was_killed_starts_again_on_its_port() {
    let Some(program) = available(NatsServer::find()) else { return };
    let mut server = NatsServer::start(&program, &NatsServerSettings::default()).unwrap();
    let (pid, url) = (server.pid().unwrap(), server.url());
    server.start_again().unwrap_err();
    server.kill().unwrap();
    assert!(!lives(pid) && !listens(server.port()));
    server.kill().unwrap_err();
    server.start_again().unwrap();
    assert!(listens(server.port()));
    assert_eq!(server.url(), url);
}

#[test]
fn nats_server_that_cannot_come_up_says_why() {
    let Some(program) = available(NatsServer::find()) else { return };
    let settings = NatsServerSettings::default().with_conf("max_everything", "1");
    let error = NatsServer::start(&program, &settings).unwrap_err().to_string();
    assert!(error.contains("max_everything"), "{error}");
}

#[test]
fn nats_server_takes_no_other_on_its_port_for_itself() {
    let Some(program) = available(NatsServer::find()) else { return };
    let mut server = NatsServer::start(&program, &NatsServerSettings::default()).unwrap();
    server.kill().unwrap();
    let other = TcpListener::bind(("127.0.0.1", server.port())).unwrap();
    // it greets as a NATS server with streams does; it ends with the tests
    thread::spawn(move || {
        for client in other.incoming() {
            let info =
                "INFO {\"server_id\":\"N\",\"server_name\":\"other\",\"jetstream\":true}\r\n";
            client.unwrap().write_all(info.as_bytes()).unwrap();
        }
    });
    let error = server.start_again().unwrap_err().to_string();
    assert!(error.contains("address already in use"), "{error}");
    assert_eq!(server.pid(), None);
}
