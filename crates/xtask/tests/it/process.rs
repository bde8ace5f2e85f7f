use std::{
    process::Command,
    time::{Duration, Instant},
};

use xtask::process::Process;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

fn sh(script: &str) -> Process {
    Process::start("sh", Command::new("sh").args(["-c", script])).unwrap()
}

#[test]
fn line_with_the_prefix_is_waited_for() {
    let process = sh("echo starting; echo listening on http://127.0.0.1:1; read forever; exit 0");
    assert_eq!(process.line_after("listening on ", LONG).unwrap(), "http://127.0.0.1:1");
    process.succeed(LONG).unwrap();
}

#[test]
fn child_that_ends_or_stays_silent_without_the_line_is_an_error() {
    let ended = sh("echo hello").line_after("listening on ", LONG).unwrap_err();
    assert!(ended.to_string().contains("never printed"), "{ended}");
    let silent = sh("kill -STOP $$").line_after("listening on ", SHORT).unwrap_err();
    assert!(silent.to_string().contains("within"), "{silent}");
}

#[test]
fn code_other_than_zero_is_an_error() {
    assert!(sh("exit 3").succeed(LONG).unwrap_err().to_string().contains("exit status: 3"));
}

#[test]
fn stop_signal_reaches_the_child() {
    let process = sh("trap 'echo stopping; exit 0' TERM; echo ready; while :; do :; done");
    process.line_after("ready", LONG).unwrap();
    process.terminate().unwrap();
    process.line_after("stopping", LONG).unwrap();
    process.succeed(LONG).unwrap();
}

#[test]
fn child_that_does_not_end_is_killed() {
    let start = Instant::now();
    let error = sh("while :; do :; done").succeed(SHORT).unwrap_err();
    assert!(error.to_string().contains("still runs"), "{error}");
    assert!(start.elapsed() < LONG);
}
