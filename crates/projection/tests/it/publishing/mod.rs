//! Publishers, over a journal and a broker in memory.

mod failing;
mod messages;
mod outages;
mod shipped;
mod versions;
mod waves;
