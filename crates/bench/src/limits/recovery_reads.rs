//! The store's own recovery reads, as large and as many at once as the engine's: activation without a runtime.

use crate::{
    account::{Account, account_id},
    case::Case,
    cpu,
    drive::two_workers,
    journal::Journal,
    measurement::Measurement,
    medium::Medium,
    name::Name,
    workload::ENTITIES_ACTIVATED,
};
use actum::{
    Entity, EntityKey,
    store::{PageLimit, RecoveryRead},
};
use anyhow::{Result, ensure};
use std::{sync::Arc, time::Instant};

/// How many entities a read is for, and how many reads run at once: the engine's defaults.
const BATCH: usize = 64;
const READERS: usize = 4;

pub(crate) fn case(medium: Medium) -> Case {
    Case::new(name(medium), move |bench, _| {
        let runtime = two_workers()?;
        runtime.block_on(async {
            let journal = Journal::filled(medium, &bench.site, ENTITIES_ACTIVATED, 1).await?;
            let reads = (0..ENTITIES_ACTIVATED).map(read).collect::<Result<Vec<_>>>()?;
            let reads: Arc<[RecoveryRead]> = reads.into();
            let (started, cpu) = (Instant::now(), cpu::spent());
            let readers = (0..READERS).map(|nr| {
                let (recovery, reads) = (Arc::clone(&journal.stores.recovery), Arc::clone(&reads));
                tokio::spawn(async move {
                    for batch in reads.chunks(BATCH).skip(nr).step_by(READERS) {
                        let found = recovery.recover(batch, PageLimit::default()).await?;
                        ensure!(
                            found.iter().all(|found| found.page.events.len() == 1),
                            "an event is missing"
                        );
                    }
                    Ok(())
                })
            });
            for reader in readers.collect::<Vec<_>>() {
                reader.await??;
            }
            let (took, cpu) = (started.elapsed(), cpu::since(cpu));
            journal.delete().await?;
            Ok(Measurement::rate(ENTITIES_ACTIVATED.into(), took, cpu))
        })
    })
}

pub(crate) fn name(medium: Medium) -> Name {
    Name::of("recovery reads, entities").on(medium).entities(ENTITIES_ACTIVATED)
}

fn read(nr: u32) -> Result<RecoveryRead> {
    let entity = EntityKey::new(Account::KIND, account_id(nr))?;
    Ok(RecoveryRead { entity, snapshot: false })
}
