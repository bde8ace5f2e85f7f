//! What a process decides that runs a projection, round by round: a pure machine around [`share_out`](crate::share_out), which
//! remembers what runs here, and until when that may go on. And which rounds of a process go together: [`Gathering`].

mod gathering;
mod round;
mod round_window;
mod runner_lease;
mod runner_machine;

pub use gathering::Gathering;
pub use round::Round;
pub use round_window::RoundWindow;
pub use runner_lease::RunnerLease;
pub use runner_machine::RunnerMachine;
