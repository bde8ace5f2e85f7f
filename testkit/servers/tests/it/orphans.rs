//! The end of a server whose owner is killed and runs no code any more. The owner is this very test program, run
//! again and asked by its environment to start a server and to wait for its end.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use actum_test_servers::{PostgresBinaries, PostgresServerSettings, TestPostgres, available};

use crate::probes::{lives, processes_of, server, soon};

type Lines = std::io::Lines<BufReader<ChildStdout>>;

const ROLE: &str = "ACTUM_TEST_SERVERS_ROLE";

/// Starts the owner and reads which process and directory it has. Its output must stay open as long as it runs.
fn owner(role: &str) -> (Child, Lines, u32, String) {
    let mut owner = Command::new(env::current_exe().unwrap());
    owner.args(["orphans::owner_of_a_server_for_the_tests_beside", "--exact", "--nocapture"]);
    owner.env(ROLE, role).env_remove("ACTUM_TEST_POSTGRES_URL");
    owner.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut owner = owner.spawn().unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let rest = |line: String| line.split_once("owns ").map(|(_, rest)| rest.to_owned());
    let line = lines.by_ref().map(Result::unwrap).find_map(rest);
    let line = line.expect("the owner says what it owns");
    let (pid, data) = line.split_once(' ').unwrap();
    (owner, lines, pid.parse().unwrap(), data.to_owned())
}

#[test]
fn owner_of_a_server_for_the_tests_beside() {
    let Ok(role) = env::var(ROLE) else { return };
    let own = |pid: u32, data: &Path| {
        println!("owns {pid} {}", data.display());
        std::io::stdout().flush().unwrap();
        // until the test beside releases the other end
        let _ = std::io::stdin().read(&mut [0]);
    };
    if role == "shared" {
        let shared = TestPostgres::shared().unwrap();
        let server = shared.private().unwrap();
        return own(server.pid().unwrap(), &server.data_dir());
    }
    let server = server(PostgresServerSettings::default()).unwrap();
    own(server.pid().unwrap(), &server.data_dir());
}

fn nothing_is_left(pid: u32, data: &str) {
    let home = Path::new(data).parent().unwrap();
    soon("the server ends", || !lives(pid));
    soon("its directory is deleted", || !home.exists());
    soon("its watchdog ends", || processes_of(home).is_empty());
}

#[test]
fn server_ends_with_an_owner_that_is_killed() {
    if available(PostgresBinaries::find()).is_none() {
        return;
    }
    let (mut owner, _lines, pid, data) = owner("private");
    assert!(lives(pid));
    owner.kill().unwrap();
    owner.wait().unwrap();
    nothing_is_left(pid, &data);
}

#[test]
fn shared_server_ends_with_the_process_that_started_it() {
    if available(PostgresBinaries::find()).is_none() {
        return;
    }
    let (mut owner, _lines, pid, data) = owner("shared");
    assert!(lives(pid));
    drop(owner.stdin.take());
    assert!(owner.wait().unwrap().success());
    nothing_is_left(pid, &data);
}
