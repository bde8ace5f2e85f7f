//! What an idle entity takes, beside its state of 16 bytes.
//!
//! Measured in processes of their own, on one thread: memory that an earlier row has freed would hide what a later one
//! takes.

use crate::{
    account::Account,
    bank::Bank,
    case::{Case, Unit},
    journal::Journal,
    measurement::Measurement,
    medium::Medium,
    name::Name,
};
use anyhow::{Context, Result, bail, ensure};
use std::{env, fs, process::Command};
use tokio::runtime::{Builder, Runtime};

const ENTITIES: u32 = 100_000;
const IDLE_AIM: f64 = 350.0;
/// Of what holds more than the entities: unused memory of the process, or the journal with an event of each.
const AIM: f64 = 1_024.0;

/// The bytes that were allocated for entities which a query has woken, and which have no events.
const IDLE: &str = "idle";
/// How much the process has grown by them.
const RESIDENT: &str = "resident";
/// The bytes that entities which have persisted an event give back when the engine ends, beyond what an engine without
/// entities does. Their keys are not in it: the journal in memory shares them.
const WRITTEN: &str = "written";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case("idle entity, allocated", IDLE, IDLE_AIM),
        case("idle entity, resident", RESIDENT, AIM),
        case("idle entity after a write, allocated", WRITTEN, AIM),
    ]
}

fn case(what: &'static str, probe: &'static str, aim: f64) -> Case {
    let name = Name::of(what).on(Medium::Memory).entities(ENTITIES);
    let measure = move |_: &_, _: &_| {
        let bytes = ask_child(probe)? / f64::from(ENTITIES);
        Ok(Measurement::of(bytes - size_of::<Account>() as f64))
    };
    Case::new(name, measure).in_unit(Unit::Bytes).at_most(aim)
}

fn ask_child(probe: &str) -> Result<f64> {
    let child = Command::new(env::current_exe()?).args(["--memory-probe", probe]).output()?;
    let said = String::from_utf8_lossy(&child.stdout);
    ensure!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    said.trim().parse().with_context(|| format!("the probe said `{said}`"))
}

/// What the child does: says the bytes of all entities.
pub(crate) fn probe(what: &str) -> Result<f64> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(match what {
        IDLE => idle(&runtime)?.0 as f64,
        RESIDENT => idle(&runtime)?.1 as f64,
        WRITTEN => (written(&runtime, ENTITIES)? - written(&runtime, 0)?) as f64,
        other => bail!("there is no subject that measures `{other}`"),
    })
}

/// How many bytes are allocated and how many resident for entities that a query has woken.
fn idle(runtime: &Runtime) -> Result<(i64, i64)> {
    let bank = runtime.block_on(open())?;
    let before = resident()?;
    let mut outcome = Ok(());
    let counted = allocation_counter::measure(|| {
        outcome = runtime.block_on(async { Bank::look_at(&bank.accounts(ENTITIES)).await });
    });
    outcome?;
    let after = resident()?;
    runtime.block_on(bank.close())?;
    Ok((counted.bytes_current, after - before))
}

/// How many bytes an engine gives back that has so many entities.
fn written(runtime: &Runtime, entities: u32) -> Result<i64> {
    let bank = runtime.block_on(open())?;
    if entities > 0 {
        runtime.block_on(bank.awake(entities))?;
    }
    let mut outcome = Ok(());
    let counted = allocation_counter::measure(|| {
        outcome = runtime.block_on(async {
            bank.close().await?;
            // what ends by itself ends now
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            Ok(())
        });
    });
    outcome.map(|()| -counted.bytes_current)
}

async fn open() -> Result<Bank> {
    Bank::open(Journal::in_memory()).await
}

fn resident() -> Result<i64> {
    const PAGE_BYTES: i64 = 4_096;
    let text =
        fs::read_to_string("/proc/self/statm").context("only Linux tells what is resident")?;
    let pages = text.split_whitespace().nth(1).context("statm has a second number")?;
    Ok(pages.parse::<i64>()? * PAGE_BYTES)
}
