//! The example end to end, as its README says to run it: serve, bank, load, stop.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::{
    http,
    process::Process,
    workspace::{Workspace, run as run_command},
};

/// For the first line of output: opening a journal takes well under a second.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// For a graceful stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// For 3 seconds of load and the check of every balance after it.
const LOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Builds the bank on its own, starts it on a port of the system's choice with a new database, opens an account,
/// deposits, reads the balance, lets `bank load` drive it for 3 seconds and stops it with SIGTERM.
///
/// # Errors
/// When a step fails, an answer is not what was deposited, or a program does not end with code 0.
pub fn run(workspace: &Workspace) -> Result<()> {
    // on its own: with the features it asks for, not those that the rest of the workspace would add
    run_command(workspace.cargo().args(["build", "--locked", "--package", "bank"]))?;
    let program = workspace.target.join("debug").join("bank");
    let database = empty_dir(workspace)?.join("bank.db");

    let bank = serve(&program, &database)?;
    let url = bank.line_after("listening on ", START_TIMEOUT)?;
    let authority =
        url.strip_prefix("http://").with_context(|| format!("not an address: {url}"))?;
    let authority = authority.trim_end_matches('/');
    open_deposit_and_read(authority)?;
    load(&program, &url)?;
    bank.terminate()?;
    bank.succeed(STOP_TIMEOUT)?;

    // what was acknowledged is there when the bank comes back
    let bank = serve(&program, &database)?;
    let url = bank.line_after("listening on ", START_TIMEOUT)?;
    expect_balance(url.trim_start_matches("http://").trim_end_matches('/'), DEPOSITED)?;
    bank.terminate()?;
    bank.succeed(STOP_TIMEOUT)
}

const ACCOUNT: &str = "/accounts/smoke";
const DEPOSITED: i64 = 150;

fn open_deposit_and_read(authority: &str) -> Result<()> {
    http::request(authority, "POST", ACCOUNT, Some(&json!({ "owner": "Smoke" })))?;
    let deposits = format!("{ACCOUNT}/deposits");
    http::request(authority, "POST", &deposits, Some(&json!({ "amount": DEPOSITED })))?;
    expect_balance(authority, DEPOSITED)
}

fn expect_balance(authority: &str, expected: i64) -> Result<()> {
    let account = http::request(authority, "GET", ACCOUNT, None)?;
    ensure!(account["balance"] == expected, "the balance is not {expected}: {account}");
    Ok(())
}

fn serve(program: &Path, database: &Path) -> Result<Process> {
    let mut serve = Command::new(program);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--database"]).arg(database);
    Process::start("bank serve", &mut serve)
}

fn load(program: &Path, url: &str) -> Result<()> {
    let mut load = Command::new(program);
    load.args(["load", "--url", url, "--clients", "8", "--accounts", "20", "--seconds", "3"]);
    Process::start("bank load", &mut load)?.succeed(LOAD_TIMEOUT)
}

fn empty_dir(workspace: &Workspace) -> Result<PathBuf> {
    let dir = workspace.target.join("tmp").join("bank-smoke");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    Ok(dir)
}
