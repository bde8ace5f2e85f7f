//! Spawning bare ractor actors: what an entity costs that is an actor of its own, without anything to recover.

use super::ractor_calls::Echoes;
use crate::{
    case::Case, cpu, drive::two_workers, measurement::Measurement, name::Name,
    workload::ENTITIES_ACTIVATED,
};
use std::time::Instant;

pub(crate) fn case() -> Case {
    Case::new(name(), |_, _| {
        let runtime = two_workers()?;
        runtime.block_on(async {
            let (started, cpu) = (Instant::now(), cpu::spent());
            let spawning = (0..2).map(|_| tokio::spawn(Echoes::spawn(ENTITIES_ACTIVATED / 2)));
            let mut spawned = Vec::new();
            for half in spawning.collect::<Vec<_>>() {
                spawned.push(half.await??);
            }
            let (took, cpu) = (started.elapsed(), cpu::since(cpu));
            for half in spawned {
                half.stop().await?;
            }
            Ok(Measurement::rate(ENTITIES_ACTIVATED.into(), took, cpu))
        })
    })
}

pub(crate) fn name() -> Name {
    Name::of("ractor spawn, actors").entities(ENTITIES_ACTIVATED)
}
