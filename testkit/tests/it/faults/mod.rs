//! The store that fails as it is asked to, over a journal in memory.

mod chance;
mod counts;
mod damage;
mod gates;
mod journal;
mod progress;
mod scripts;
mod transparent;
mod unknown;
