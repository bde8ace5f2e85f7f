//! What a process decides that runs a projection, round by round: a pure machine around [`share_out`](crate::share_out), which
//! remembers what runs here, and until when that may go on.

mod round;
mod runner_machine;

pub use round::Round;
pub use runner_machine::RunnerMachine;
