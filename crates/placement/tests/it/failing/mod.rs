//! What a member decides about the others, case by case and in random clusters.

mod cases;
mod member_table;
mod node;
mod random_runs;
mod world;
