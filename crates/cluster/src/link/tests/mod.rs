//! The pure machines of a link.

mod fuzz;
mod golden;
mod incoming;
mod link_state;
mod outgoing;
mod pumping;
mod together;
