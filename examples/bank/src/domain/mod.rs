//! What an account is, and what can be done with it: pure functions, no I/O, no async.

mod account;
mod commands;
mod event;
mod money;
mod refused;
mod reply;

pub use account::{Account, Status};
pub use commands::{Balance, Close, Deposit, Open, Withdraw};
pub use event::AccountEvent;
pub use money::Money;
pub use refused::Refused;
pub use reply::{Applied, Standing};
