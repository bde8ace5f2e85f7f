use std::{thread, time::Instant};

use actum_test_servers::{PostgresServerSettings, StopMode};

use crate::probes::{listens, lives, processes_of, psql, server, soon};

#[test]
fn server_starts_and_answers() {
    let start = Instant::now();
    let Some(mut server) = server(PostgresServerSettings::default()) else { return };
    eprintln!("started in {:?}", start.elapsed());
    assert!(server.is_running());
    assert!(listens(server.port()));
    let Some(answer) = psql(&server.url("postgres"), "select current_user, 40 + 2") else {
        return;
    };
    assert_eq!(answer.unwrap(), "actum|42");
    let socket = format!("postgres://actum@/postgres?host={}", server.socket_dir().display());
    let socket = format!("{socket}&port={}", server.port());
    assert_eq!(psql(&socket, "select 1").unwrap().unwrap(), "1");
}

#[test]
fn nothing_of_a_dropped_server_is_left() {
    let Some(server) = server(PostgresServerSettings::default()) else { return };
    let (pid, port, data) = (server.pid().unwrap(), server.port(), server.data_dir());
    let home = data.parent().unwrap();
    assert!(lives(pid) && listens(port) && data.is_dir());
    assert_ne!(processes_of(home), [""; 0], "the watchdog names its directory");
    drop(server);
    assert!(!lives(pid));
    assert!(!listens(port));
    assert!(!home.exists());
    assert_eq!(processes_of(home), [""; 0]);
}

#[test]
fn nothing_is_left_when_its_owner_panics() {
    let Some(server) = server(PostgresServerSettings::default()) else { return };
    let (pid, data) = (server.pid().unwrap(), server.data_dir());
    thread::spawn(move || {
        let _server = server;
        panic!("as a failing test does");
    })
    .join()
    .unwrap_err();
    assert!(!lives(pid));
    assert!(!data.exists());
}

#[test]
fn server_comes_back_on_the_same_port_with_its_data_however_it_ended() {
    let Some(mut server) = server(PostgresServerSettings::default()) else { return };
    let (port, url) = (server.port(), server.url("postgres"));
    let Some(created) = psql(&url, "create table kept (nr bigint)") else { return };
    created.unwrap();
    let ends = [Some(StopMode::Smart), Some(StopMode::Fast), Some(StopMode::Immediate), None];
    for (nr, end) in (1..).zip(ends) {
        psql(&url, &format!("insert into kept values ({nr})")).unwrap().unwrap();
        let pid = server.pid().unwrap();
        match end {
            Some(mode) => server.stop(mode).unwrap(),
            None => server.kill().unwrap(),
        }
        assert!(!server.is_running(), "{end:?}");
        assert!(!lives(pid) && !listens(port), "{end:?}");
        server.start_again().unwrap();
        assert_eq!(server.port(), port);
        let rows = psql(&url, "select count(*) from kept").unwrap();
        assert_eq!(rows.unwrap(), nr.to_string(), "{end:?}");
    }
    assert!(server.start_again().unwrap_err().to_string().contains("runs already"));
}

#[test]
fn killed_server_waits_for_its_busy_processes() {
    let Some(mut server) = server(PostgresServerSettings::default()) else { return };
    let (url, end) = (server.url("postgres"), server.data_dir().join("end"));
    let Some(answer) = psql(&url, "select 1") else { return };
    assert!(answer.is_ok());
    // it looks at nothing else until that file is there
    let busy = format!(
        "do $$ begin /* busy */ while (pg_stat_file('{}', true)).size is null loop end loop; end $$",
        end.display()
    );
    let busy = thread::spawn({
        let url = url.clone();
        move || psql(&url, &busy).unwrap()
    });
    let of_busy =
        "select pid from pg_stat_activity where state = 'active' and query like 'do %/* busy */%'";
    let mut backend = String::new();
    soon("the statement runs", || {
        backend = psql(&url, of_busy).unwrap().unwrap();
        !backend.is_empty()
    });
    let (first, backend) = (server.pid().unwrap(), backend.parse().unwrap());
    thread::scope(|scope| {
        let killing = scope.spawn(|| server.kill());
        soon("the first process is dead", || !lives(first));
        assert!(lives(backend) && !killing.is_finished());
        std::fs::write(&end, "").unwrap();
        killing.join().unwrap().unwrap();
        // its files are closed, and its end follows
        soon("the busy process is dead", || !lives(backend));
    });
    // its answer may still have come
    let _ = busy.join().unwrap();
    server.start_again().unwrap();
}

#[test]
fn servers_side_by_side_share_nothing() {
    let Some(one) = server(PostgresServerSettings::default()) else { return };
    let Some(mut other) = server(PostgresServerSettings::default()) else { return };
    assert_ne!(one.port(), other.port());
    assert_ne!(one.data_dir(), other.data_dir());
    drop(one);
    assert!(other.is_running() && listens(other.port()));
}

#[test]
fn server_that_another_process_ended_is_known_to_be_down() {
    let Some(mut server) = server(PostgresServerSettings::default()) else { return };
    let kill = format!("kill -QUIT {}", server.pid().unwrap());
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    soon("it ends", || !server.is_running());
    server.start_again().unwrap();
    assert!(server.is_running());
}
