//! Raw inserts under the lock of one lane, from one connection or from two: how much a second batch in flight could win.
//!
//! While a batch of one connection commits, that of the other has arrived and waits for the lock on the server.

use super::{
    columns::INSERT_LOCKED,
    event_table,
    inserts::{Inserts, Plan},
};
use crate::{
    case::Case,
    drive::{drive, two_workers},
    medium::POSTGRES,
    name::Name,
    workload::{ENTITIES_IN_FLIGHT, Flight},
};

/// Batches of the events of so many callers: all of them, or half of them each.
pub(crate) fn case(flight: Flight, callers: u32) -> Case {
    let case = Case::new(name(flight, callers), move |bench, _| {
        let (connections, batch) = (flight.batches(), flight.events(callers));
        let plan = Plan {
            text: INSERT_LOCKED,
            connections,
            lanes: false,
            entities: ENTITIES_IN_FLIGHT,
            batch,
        };
        let runtime = two_workers()?;
        let (database, inserts) = runtime.block_on(async {
            let database = event_table::database(bench, 1, ENTITIES_IN_FLIGHT).await?;
            let inserts = Inserts::open(&database, plan).await?;
            anyhow::Ok((database, inserts))
        })?;
        let measured = drive(&runtime, connections.into(), bench.window, &inserts)?;
        runtime.block_on(async {
            inserts.close().await?;
            database.delete().await
        })?;
        Ok(measured.of_batches(batch))
    });
    match flight {
        Flight::One => case,
        Flight::Two => case.beside(name(Flight::One, callers), None),
    }
}

fn name(flight: Flight, callers: u32) -> Name {
    let what = match flight {
        Flight::One => "locked inserts, one in flight",
        Flight::Two => "locked inserts, two in flight",
    };
    Name::of(what).on(POSTGRES).callers(callers).entities(ENTITIES_IN_FLIGHT)
}
