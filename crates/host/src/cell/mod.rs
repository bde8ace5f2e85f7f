//! The cell: one entity as a pure state machine. No I/O, no clock, nothing asynchronous.
//!
//! Inputs are commands, what reads brought, outcomes of appends, and the passing of time; outputs are collected in
//! [`Outputs`] and carried out by the partition that runs the cell.
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
mod cell_name;
mod command_ids;
mod content;
mod decode_snapshot;
mod entity_cell;
mod envelope;
mod failure_bursts;
mod given_up;
mod identity;
mod job;
mod job_header;
mod kind_context;
mod life;
mod model;
mod model_types;
mod older_ids;
mod open_ask;
mod panicked;
mod part;
mod passivating;
mod phase;
mod pipeline;
mod portable_job;
mod recorded_replies;
mod recovering;
mod retries;
mod retrying;
mod running;
mod settlements;
mod staging;
mod sure_clock;
mod taken_snapshot;
mod trouble;
mod turn;
mod undecodable;
mod under_way;
mod waiting;

pub use actum_persistence::panics::guard;
pub use after_commit::AfterCommit;
pub use aggregate::Aggregate;
pub use by_events::ByEvents;
pub use by_state::{ByState, FoundState};
pub use command_ids::{CommandIds, Mark, Memory, SNAPSHOT_MARKS_MAX};
pub use content::Content;
pub use decode_snapshot::decode_snapshot;
pub use entity_cell::Cell;
pub use envelope::Envelope;
pub use failure_bursts::FailureBursts;
pub use given_up::GivenUp;
pub use identity::Identity;
pub use job::{Decision, Job, Verdict};
pub use job_header::JobHeader;
pub use kind_context::KindContext;
pub use life::Life;
pub use model::{CHANGE_BYTES, Changes, Model, Progress, StageError};
pub use model_types::ModelTypes;
pub use older_ids::OlderIds;
pub use open_ask::{AskStage, EarlyEnd, OpenAsk};
pub use part::Part;
pub use pipeline::Pipeline;
pub use portable_job::{EncodedAnswer, EncodedRequest, PortableJob};
pub use recorded_replies::FoundRecord;
pub use retries::{Retries, Retry};
pub use settlements::Settlements;
pub use sure_clock::SureClock;
pub use taken_snapshot::TakenSnapshot;
pub use turn::{Outputs, Read, Ticket, Turn};
pub use under_way::SparePlaces;
pub use waiting::Waiting;

use cell_name::CellName;
