//! The cell: one entity as a pure state machine. No I/O, no clock, nothing asynchronous.
//!
//! Inputs are commands, what reads brought, what became of appends, and the passing of time; outputs are collected in
//! [`Outputs`] and carried out by whoever runs the cell: a partition, or a simulation.
//!
//! ```text
//!              first command                    read                    idle, asked, or poisoned
//!   (nothing) ───────────────▶ recovering ───────────────▶ running ───────────────────────▶ passivating
//!       ▲                          ▲  │ cannot be read        │ append failed                 │    │
//!       │                          │  ▼                       ▼                               │    │
//!       └──────────────────────────│─ gone ◀──────────────────┴───────────────────────────────┘    │
//!                                  └────────────────── commands came meanwhile ────────────────────┘
//! ```

mod after_commit;
mod aggregate;
mod by_events;
mod by_state;
mod command_ids;
mod entity_cell;
mod job;
mod model;
mod moment;
mod older_ids;
mod open_ask;
mod passivating;
mod pipeline;
mod recovering;
mod retries;
mod retrying;
mod running;
mod staging;
mod sure_clock;
mod trouble;
mod turn;
mod undecodable;

pub(crate) use actum_persistence::panics::guard;
pub(crate) use after_commit::AfterCommit;
pub(crate) use aggregate::Aggregate;
pub(crate) use by_events::{ByEvents, decode_snapshot};
pub(crate) use by_state::{ByState, FoundState};
pub(crate) use command_ids::{CommandIds, Mark, Memory, SNAPSHOT_MARKS_MAX};
pub(crate) use entity_cell::{Cell, Life};
pub(crate) use job::{Decision, Envelope, Job, Verdict, Waiting};
pub(crate) use model::{CHANGE_BYTES, Changes, Model, Progress, StageError};
pub(crate) use moment::Moment;
pub(crate) use older_ids::OlderIds;
pub(crate) use open_ask::{AskStage, EarlyEnd, OpenAsk};
pub(crate) use pipeline::{Part, Pipeline};
pub(crate) use retries::{Content, Identity, Retries, Retry};
pub(crate) use retrying::FoundRecord;
pub(crate) use sure_clock::SureClock;
pub(crate) use trouble::FailureBursts;
pub(crate) use turn::{Outputs, Read, TakenSnapshot, Ticket, Turn};
