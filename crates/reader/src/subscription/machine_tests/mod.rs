//! The machine against an oracle that remembers every delivery.

mod oracle;
mod random_runs;
mod rules_of_delivery;
mod rules_of_size;
mod rules_of_time;
