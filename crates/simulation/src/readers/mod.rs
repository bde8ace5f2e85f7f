//! Those who read the journal: some processes run a projection of it, by the real rounds of a runner and the real machines of its
//! segments, and now and then one divides it into others. Their progress is kept by the real store in memory; their target keeps its rows together with the progress, or is a
//! consumer that is called at least once.
//!
//! ```text
//!   Journal ─page, late or not at all─▶ SimTask: SegmentMachine ──batch──▶ ReadSide: rows and progress, late, lost, unknown
//!      │                                     ▲ claims, ends                      │
//!      └─announcement, or not─▶ SimRunner: RunnerMachine ◀──what is kept──────── ┤
//!                                                                 ReadLedger ◀───┘
//! ```
//! A `ReadLedger` follows every event and every save. It holds that
//!
//! * the rows are the fold of the journal as far as the saved offset says, without what is held back or was skipped;
//! * a consumer gets every event, those of one entity in order, and none behind one of them that is held back;
//! * no runner saves anything that others have replaced, and no one replaces a runner within its lease;
//! * a division into other segments changes for no partition how far it has come;
//! * an event is given up after as many tries as the rules say, and not before;
//! * when nothing goes wrong any more, everything is read within a stated time, whatever was announced.
//!
//! The readers have dice of their own, so that they change nothing for those who write, but one thing: no events are deleted that
//! they have not read, or that are held back. So a projection is rewound to what was deleted last at most.

mod claim_check;
mod person;
mod poison;
mod progress_desk;
mod read_ledger;
mod read_side;
mod reader_faults;
mod reader_flaw;
mod reader_mishaps;
mod reader_rest;
mod reader_scene;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod readers;
mod row_table;
mod save_check;
mod sim_batch;
mod sim_divider;
mod sim_runner;
mod sim_task;

pub(crate) use reader_flaw::ReaderFlaw;
pub(crate) use readers::Readers;

use poison::Poison;
use progress_desk::{Commit, Committed, ProgressDesk};
use read_ledger::ReadLedger;
use read_side::ReadSide;
use reader_faults::ReaderFaults;
use reader_scene::ReaderScene;
use row_table::RowTable;
use sim_divider::SimDivider;
use sim_runner::SimRunner;
use sim_task::SimTask;
