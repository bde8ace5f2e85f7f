//! Real partitions, cells and group commit over a model journal, and in a share of the runs real runners of a projection that read
//! it, under random commands and faults: single-threaded, in virtual time, all of it drawn from a seed. A `Ledger` checks every step
//! and holds the promises:
//!
//! * no acknowledged change is lost, none is stored twice, none is half stored, numbers are contiguous;
//! * no answer shows what is not stored, no failure denies what is;
//! * memory is never ahead of the journal once a failure is known;
//! * every command is answered exactly once, in time; a retry gets the reply of the first time;
//! * what the engine counts against its bounds is given back, and nothing that is due is late;
//! * a projection is what the journal says as far as it has come, whoever runs it, see `readers`.
//!
//! ```text
//!   Clients ──order──▶ Inbox ─▶ Partition (real, with its cells) ──▶ SimShell ─▶ Desk: Writer (real group commit) ─batch─▶ Journal
//!                                 │    ▲                                                                            │
//!                                 │    └──────────── commits, pages, snapshots: late, lost, wrong ──────────────────┤
//!                                 └──notes──▶ Ledger ◀──────────────────── what was stored ─────────────────────────┤
//!                                               ▲                                                                   │
//!                                               └──what was wrong──── Readers: runners and segments (real) ◀──pages─┘
//! ```
//! [`run`] plays one seed; the tests play many.

mod ask;
mod board;
#[cfg(test)]
mod cases;
mod chain;
mod clients;
mod compact;
mod coverage;
mod desk;
mod dice;
mod digest;
mod entrance;
mod faults;
#[cfg(test)]
mod flaws_are_found;
mod holdings;
mod job;
mod journal;
mod ledger;
mod note;
mod note_taker;
mod order;
mod passing_time;
mod plan;
mod process;
mod readers;
mod reply;
mod rest;
mod run;
mod scene;
mod seat;
mod shell;
mod sim_entrance;
mod sim_partition;
mod subject;
mod tally;
mod traits;
mod world;
mod writer;

pub use coverage::Coverage;
pub use run::{run, story};

use ask::SimAsk;
use board::Board;
use chain::{Chain, Link};
use clients::Clients;
use coverage::Seen;
use desk::Desk;
use dice::{Dice, fold};
use entrance::{Entrance, KindEntrance};
use holdings::Holdings;
use job::SimJob;
use ledger::Ledger;
use note::{Answer, Log, Note};
use note_taker::NoteTaker;
use order::{Order, command_id};
use plan::{APPEND_EVENTS_MAX, Flaw, Plan, Wish};
use process::{Clocks, Process};
use readers::Readers;
use reply::Reply;
use scene::{Faults, Scene};
use seat::{Seat, SimCap};
use shell::SimShell;
use sim_entrance::SimEntrance;
use sim_partition::{Around, SimPartition, TurnTerms};
use subject::Subject;
use tally::Tally;
use traits::Traits;
use world::World;
use writer::Writer;
