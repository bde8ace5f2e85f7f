use crate::{
    case::Unit,
    medium::Medium,
    name::Name,
    summary::{Held, Row},
};
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

const HEADER: [&str; 14] = [
    "row", "store", "callers", "entities", "result", "p50 µs", "p99 µs", "cpu µs", "batch",
    "beside", "limit", "ratio", "aim", "met",
];
/// How many columns are the row's own; the others say what is beside it.
const OWN: usize = 9;
/// Text; the other columns are numbers.
const LEFT: [usize; 4] = [0, 1, 9, 13];

/// The rows as one table, which is Markdown too.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(HEADER);
    for row in rows {
        let mut own = own_cells(row);
        if row.beside.is_empty() && waits(row).next().is_none() {
            own.extend(alone(row));
            table.add_row(own);
            continue;
        }
        for held in &row.beside {
            own.extend(beside(held, row.unit));
            table.add_row(std::mem::replace(&mut own, vec![String::new(); OWN]));
        }
        for wait in waits(row) {
            own.extend(wait);
            table.add_row(std::mem::replace(&mut own, vec![String::new(); OWN]));
        }
    }
    for (nr, column) in table.column_iter_mut().enumerate() {
        let alignment = if LEFT.contains(&nr) { CellAlignment::Left } else { CellAlignment::Right };
        column.set_cell_alignment(alignment);
    }
    table.to_string()
}

fn own_cells(row: &Row) -> Vec<String> {
    let Name { what, medium, callers, entities, held } = row.name;
    let what = if held { format!("{what}, prefilled") } else { what.to_owned() };
    vec![
        what,
        medium.map_or_else(String::new, store),
        callers.map_or_else(String::new, |count| grouped(f64::from(count))),
        entities.map_or_else(String::new, |count| grouped(f64::from(count))),
        result(row.value, row.unit),
        optional(row.latency.map(|latency| latency.p50)),
        optional(row.latency.map(|latency| latency.p99)),
        row.cpu_micros.map_or_else(String::new, |micros| format!("{micros:.2}")),
        optional(row.batch),
    ]
}

fn store(medium: Medium) -> String {
    match medium.lanes() {
        Some(lanes) if lanes > 1 => format!("{}, {lanes} lanes", medium.word()),
        _ => medium.word().to_owned(),
    }
}

/// The last cells of the lines about how long callers wait.
fn waits(row: &Row) -> impl Iterator<Item = [String; 5]> {
    let none = String::new;
    let of = move |what: &str, aim: Option<f64>, is_met| {
        aim.map(|aim| [what.to_owned(), none(), none(), format!("≤ {}", grouped(aim)), met(is_met)])
    };
    let p50 = of("p50 µs", row.p50_at_most, row.is_p50_met());
    let p99 = of("p99 µs", row.p99_at_most, row.is_p99_met());
    p50.into_iter().chain(p99)
}

/// The last cells of a row that has no limit.
fn alone(row: &Row) -> [String; 5] {
    let none = String::new;
    let aim = row.at_most.map_or_else(none, |aim| format!("≤ {}", grouped(aim)));
    [none(), none(), none(), aim, met(row.is_met())]
}

fn beside(held: &Held, unit: Unit) -> [String; 5] {
    let cpu = held.cpu_ratio.map_or_else(String::new, |ratio| format!(" ({ratio:.2})"));
    [
        beside_name(&held.limit),
        result(held.value, unit),
        format!("{:.2}{cpu}", held.ratio),
        held.at_least.map_or_else(String::new, |aim| {
            let of = if held.of_cpu { " of cpu" } else { "" };
            format!("≥ {}{of}", (aim * 100.0).round() / 100.0)
        }),
        met(held.is_met()),
    ]
}

fn beside_name(limit: &Name) -> String {
    let entities =
        limit.entities.map_or_else(String::new, |count| format!(", {}", grouped(f64::from(count))));
    format!("{}{entities}", limit.what)
}

fn met(is_met: Option<bool>) -> String {
    match is_met {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "",
    }
    .to_owned()
}

fn result(value: f64, unit: Unit) -> String {
    match unit {
        Unit::PerSecond => format!("{}/s", grouped(value)),
        Unit::Allocations => format!("{value:.2}"),
        Unit::Bytes => format!("{} B", grouped(value)),
        Unit::Queries => format!("{value:.2} queries/s"),
    }
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| {
        if value < 10.0 { format!("{value:.1}") } else { grouped(value) }
    })
}

/// A whole number with its thousands apart.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (nr, digit) in digits.chars().enumerate() {
        if nr > 0 && (digits.len() - nr).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
