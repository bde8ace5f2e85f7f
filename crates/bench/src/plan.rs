//! Which rows there are, and in which order they are measured: subjects right beside their limits.

use crate::{
    arguments::Arguments,
    case::{Case, Medium},
    limits::{
        decoding, mpsc, naive, ractor_calls, ractor_spawns, recovery_reads, sql_inserts, sql_pages,
    },
    subjects::{activation, allocations, commands, memory, queries, recovery},
};

/// The main row is right behind its limit.
const ENTITIES: [u32; 4] = [10_000, 1, 1_000, 100_000];
const CALLERS: [u32; 3] = [1_000, 100, 1];
const MEDIA: [Medium; 2] = [Medium::Memory, Medium::Sqlite];

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
    let mut cases = Vec::new();
    for callers in callers {
        in_memory(&mut cases, *callers, entities);
        on_sqlite(&mut cases, *callers, entities);
    }
    if arguments.prefill().is_some() {
        cases.extend(held());
    }
    cases.extend(starting());
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
        cases.push(commands::case(Medium::Memory, callers, *entities, false));
        cases.push(queries::case(Medium::Memory, callers, *entities, false));
    }
    cases.push(ractor_calls::case(256, callers));
    cases.push(mpsc::case(10_000, callers));
}

fn on_sqlite(cases: &mut Vec<Case>, callers: u32, entities: &[u32]) {
    for entities in entities {
        cases.push(commands::case(Medium::Sqlite, callers, *entities, false));
        cases.push(sql_inserts::case(callers, *entities, false));
        cases.push(queries::case(Medium::Sqlite, callers, *entities, false));
    }
    cases.extend([1, 10].map(|pool| naive::case(pool, callers, 10_000)));
}

fn held() -> Vec<Case> {
    let (callers, entities) = (1_000, 10_000);
    let mut cases = vec![sql_inserts::case(callers, entities, true)];
    for medium in MEDIA {
        cases.insert(0, queries::case(medium, callers, entities, true));
        cases.insert(0, commands::case(medium, callers, entities, true));
    }
    cases
}

fn starting() -> Vec<Case> {
    let mut cases = vec![decoding::case()];
    for entities in [1, 1_000] {
        cases.extend(MEDIA.map(|medium| recovery::case(medium, entities)));
        cases.push(sql_pages::case(entities));
    }
    cases.push(ractor_spawns::case());
    cases.extend(MEDIA.map(activation::case));
    cases.extend(MEDIA.map(recovery_reads::case));
    cases
}
