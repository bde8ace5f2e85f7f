//! Which rows there are, and in which order they are measured: subjects right beside their limits.

use crate::{
    arguments::Arguments,
    case::Case,
    limits::{
        decoding, lane_pages, mpsc, naive,
        postgres::{bare_inserts, locked_inserts, naive_pool, raw_inserts, raw_pages},
        ractor_calls, ractor_spawns, recovery_reads, rows_by_hand, sql_inserts, sql_pages,
    },
    medium::{Medium, POSTGRES},
    remote,
    subjects::{
        activation, allocations, batches_in_flight,
        beside_projection::{self, Saves},
        catch_up, commands, exact_rows,
        idle::{self, Projections},
        live_delivery, memory,
        owned_appends::{self, Writer},
        queries, recovery,
    },
    workload::Flight,
};

/// The main row is right behind its limit.
const ENTITIES: [u32; 4] = [10_000, 1, 1_000, 100_000];
const CALLERS: [u32; 3] = [1_000, 100, 1];
const MEDIA: [Medium; 3] = [Medium::Memory, Medium::Sqlite, POSTGRES];
const TWO_LANES: Medium = Medium::Postgres { lanes: 2 };

/// The rows that are asked for, and the limits they need.
pub(crate) fn cases(arguments: &Arguments) -> Vec<Case> {
    let all = all(arguments);
    let wanted = |case: &Case| {
        arguments.only.is_empty() || arguments.only.iter().any(|words| case.name.has(words))
    };
    let limits: Vec<_> = all
        .iter()
        .filter(|case| wanted(case))
        .flat_map(|case| case.beside.iter().map(|beside| beside.limit))
        .collect();
    all.into_iter().filter(|case| wanted(case) || limits.contains(&case.name)).collect()
}

fn all(arguments: &Arguments) -> Vec<Case> {
    let (callers, entities): (&[u32], &[u32]) =
        if arguments.quick { (&[1_000, 1], &[10_000, 1]) } else { (&CALLERS, &ENTITIES) };
    let delays = arguments.delays();
    let mut cases = Vec::new();
    for callers in callers {
        in_memory(&mut cases, *callers, entities);
        on_sqlite(&mut cases, *callers, entities);
        on_postgres(&mut cases, *callers, entities, delays);
    }
    if arguments.prefill().is_some() {
        cases.extend(held(delays));
    }
    cases.extend(starting());
    cases.extend(reading());
    cases.extend(in_flight());
    cases.extend(owned());
    cases.extend(remote::cases(callers));
    for medium in MEDIA {
        for callers in callers {
            cases.push(allocations::persisting(medium, *callers));
            cases.push(allocations::querying(medium, *callers));
        }
    }
    cases.extend(memory::cases());
    cases
}

fn in_memory(cases: &mut Vec<Case>, callers: u32, entities: &[u32]) {
    cases.push(ractor_calls::case(10_000, callers));
    for entities in entities {
        cases.push(commands::case(Medium::Memory, callers, *entities, false, false));
        cases.push(queries::case(Medium::Memory, callers, *entities, false));
    }
    cases.push(ractor_calls::case(256, callers));
    cases.push(mpsc::case(10_000, callers));
}

fn on_sqlite(cases: &mut Vec<Case>, callers: u32, entities: &[u32]) {
    for entities in entities {
        cases.push(commands::case(Medium::Sqlite, callers, *entities, false, false));
        cases.push(sql_inserts::case(callers, *entities, false));
        cases.push(queries::case(Medium::Sqlite, callers, *entities, false));
    }
    cases.extend([1, 10].map(|pool| naive::case(pool, callers, 10_000)));
}

fn on_postgres(cases: &mut Vec<Case>, callers: u32, entities: &[u32], delays: bool) {
    for entities in entities {
        cases.push(commands::case(POSTGRES, callers, *entities, false, delays));
        cases.push(raw_inserts::case(1, callers, *entities, false));
        // one caller or one entity has nothing for a second lane
        if callers > 1 && *entities > 1 {
            cases.push(commands::case(TWO_LANES, callers, *entities, false, delays));
            cases.push(raw_inserts::case(2, callers, *entities, false));
        }
        cases.push(queries::case(POSTGRES, callers, *entities, false));
    }
    if callers == 1 {
        cases.push(bare_inserts::case(10_000));
    } else {
        cases.extend(naive_pool::POOLS.map(|pool| naive_pool::case(pool, callers, 10_000)));
    }
}

fn held(delays: bool) -> Vec<Case> {
    let (callers, entities) = (1_000, 10_000);
    let mut cases = Vec::new();
    for medium in MEDIA {
        cases.push(commands::case(medium, callers, entities, true, delays));
        cases.push(queries::case(medium, callers, entities, true));
    }
    cases.push(sql_inserts::case(callers, entities, true));
    cases.push(raw_inserts::case(1, callers, entities, true));
    cases
}

fn in_flight() -> Vec<Case> {
    let mut cases = Vec::new();
    for callers in [2_000, 1_000, 100, 10] {
        for flight in [Flight::One, Flight::Two] {
            cases.push(batches_in_flight::case(flight, callers));
        }
        for flight in [Flight::One, Flight::Two] {
            cases.push(locked_inserts::case(flight, callers));
        }
    }
    cases
}

/// What it costs to check who owns what is written.
fn owned() -> Vec<Case> {
    let mut cases = Vec::new();
    for medium in [Medium::Sqlite, POSTGRES] {
        for callers in CALLERS {
            for writer in [Writer::Engine, Writer::Node] {
                cases.push(owned_appends::case(writer, medium, callers));
            }
        }
    }
    cases
}

/// Those who read what is written.
fn reading() -> Vec<Case> {
    let (callers, entities) = (100, 10_000);
    let mut cases = Vec::new();
    for medium in [Medium::Sqlite, POSTGRES] {
        cases.push(catch_up::case(medium, 1_000));
        cases.push(lane_pages::case(medium, 1_000));
        cases.push(exact_rows::case(medium, 1_000));
        cases.push(rows_by_hand::case(medium, 1_000));
        cases.push(live_delivery::case(medium));
        cases.extend([Projections::One, Projections::Twenty].map(|some| idle::case(medium, some)));
        for saves in [Saves::EachTwentyMillis, Saves::AtOnce] {
            cases.push(beside_projection::case(medium, callers, entities, saves));
        }
    }
    cases
}

fn starting() -> Vec<Case> {
    let mut cases = vec![decoding::case()];
    for entities in [1, 1_000] {
        cases.extend(MEDIA.map(|medium| recovery::case(medium, entities)));
        cases.push(sql_pages::case(entities));
        cases.push(raw_pages::case(entities));
    }
    cases.push(ractor_spawns::case());
    cases.extend(MEDIA.map(activation::case));
    cases.extend(MEDIA.map(recovery_reads::case));
    cases
}
