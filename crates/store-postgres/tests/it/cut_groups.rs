//! Group commit over a network that cuts connections all the time.

use crate::{
    bounded::{random, run_on, until},
    fixture::PostgresFixture,
    load::{Amount, Load},
    proxied::Proxied,
    writer::Writer,
};
use actum_model::LaneCount;
use actum_persistence::store::JournalLayout;
use actum_store_postgres::PostgresSettings;
use actum_testkit::Then;
use std::sync::Arc;

#[test]
fn groups_over_a_network_that_cuts_are_stored_once_or_not_at_all() {
    write_over_cuts(PostgresSettings::default(), 1);
}

#[test]
fn groups_in_transactions_over_a_network_that_cuts_are_stored_once_or_not_at_all() {
    write_over_cuts(PostgresSettings::default().with_transaction_pooling(true), 1);
}

/// Two nodes that both believe the entities to be theirs: what one has stored is no success of the other, whatever it
/// had to find out about.
#[test]
fn groups_of_rivals_over_a_network_that_cuts_are_stored_once_or_not_at_all() {
    write_over_cuts(PostgresSettings::default(), 2);
}

fn write_over_cuts(settings: PostgresSettings, nodes: usize) {
    let lanes = LaneCount::new(2).unwrap();
    let settings = settings.with_layout(JournalLayout { lanes, ..JournalLayout::default() });
    let amount = Amount { entities: 100, writes: 50 / nodes, rivals: nodes > 1 };
    run_on(PostgresFixture::with(settings), async |journal| {
        let mut rng = random();
        let proxied = Proxied::start(journal.url());
        let mut writers = Vec::new();
        for node in 0..nodes {
            let store = Arc::new(proxied.store(journal.settings()).await);
            writers.push(Writer::claim_slot(store, &node.to_string()).await);
        }
        let load = Load::start(&writers, amount, &mut rng);
        let all = amount.entities * amount.writes;
        let mut cuts = 0;
        while load.stored() < all {
            let then = [Then::CutBefore, Then::CutAfterSending, Then::CutAfterAnswer];
            match rng.choice(then) {
                // the attempts of an entity that come next
                Some(then) if rng.u8(..4) > 0 => {
                    let (entity, attempt) = (rng.usize(..amount.entities), rng.usize(1..80));
                    proxied.proxy.on(format!("<{entity}/{attempt}>").as_bytes(), then);
                    proxied.proxy.on(b"COMMIT\0", then);
                }
                _ => proxied.proxy.cut(),
            }
            cuts += 1;
            let next = (load.stored() + rng.usize(1..40)).min(all);
            until("writes are stored", async || load.stored() >= next).await;
        }
        println!("{cuts} cuts");
        let ledger = load.end().await;
        ledger.check(&journal.store().await).await;
    });
}
