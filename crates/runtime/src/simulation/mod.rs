//! Cells, group commit and a model journal under random commands and faults: single-threaded, in virtual time, all of it
//! drawn from a seed. A [`Ledger`] looks at every step and holds the promises:
//!
//! * no acknowledged change is lost, none is stored twice, none is half stored, numbers are contiguous;
//! * no answer shows what is not stored, no failure denies what is;
//! * memory is never ahead of the journal once a failure is known;
//! * every command is answered exactly once, in time; a retry gets the reply of the first time.
//!
//! ```text
//!   Clients ──order──▶ Host (real cells) ──write──▶ Desk: Writer (real group commit) ──batch──▶ Journal
//!                        │    ▲                                                                    │
//!                        │    └──────────── commits, pages, snapshots: late, lost, wrong ──────────┤
//!                        └──notes──▶ Ledger ◀──────────────────── what was stored ─────────────────┘
//! ```
//! `ACTUM_SIMULATION_SEED` runs one seed alone, `ACTUM_SIMULATION_STEPS` says how many steps all runs take together.

mod board;
mod cases;
mod chain;
mod clients;
mod coverage;
mod desk;
mod dice;
mod faults;
mod host;
mod hosted;
mod hosting;
mod job;
mod journal;
mod ledger;
mod note;
mod plan;
mod process;
mod reply;
mod rest;
mod runs;
mod scene;
mod subject;
mod world;
mod writer;

use board::Board;
use chain::{Chain, Link};
use clients::Clients;
use coverage::{Coverage, Seen};
use desk::Desk;
use dice::{Dice, fold};
use host::Host;
use hosted::{Beat, Hosted, Place};
use hosting::Hosting;
use job::{Order, SimJob, command_id};
use ledger::Ledger;
use note::{Answer, Log, Note};
use plan::{APPEND_EVENTS_MAX, Flaw, Plan, Wish};
use process::Process;
use reply::Reply;
use scene::Scene;
use subject::Subject;
use world::World;
use writer::Writer;
