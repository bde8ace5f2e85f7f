//! `bank migrate`: brings a PostgreSQL database up to date, or says what it lacks.

use crate::cli::MigrateArgs;
use actum::postgres::{self, Migration};
use anyhow::Result;
use std::io::Write;

/// Applies the migrations that are pending, unless it is only to check, and lists all of them. Says whether the database
/// is up to date.
///
/// # Errors
/// When the database cannot be had, or is not one that has migrations.
pub async fn run(args: &MigrateArgs, out: &mut impl Write) -> Result<bool> {
    let (url, settings) = args.database.server()?;
    let before = postgres::migrations(url, &settings).await?;
    if !args.check {
        postgres::migrate(url, &settings).await?;
    }
    for Migration { version, name, applied, .. } in &before {
        let state = match (applied, args.check) {
            (true, _) => "applied before",
            (false, true) => "pending",
            (false, false) => "applied now",
        };
        writeln!(out, "{version:>4}  {name:<40}  {state}")?;
    }
    Ok(!args.check || before.iter().all(|migration| migration.applied))
}
