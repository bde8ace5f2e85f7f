//! Bare calls to ractor actors, with the same features as the runtime: `cluster` is on.

use crate::{
    case::Case,
    drive::{Target, drive, two_workers},
    name::Name,
};
use anyhow::Result;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, rpc::CallResult};
use std::sync::Arc;

/// Calls to so many actors, chosen at random.
pub(crate) fn case(actors: u32, callers: u32) -> Case {
    Case::new(name(actors, callers), move |bench, _| {
        let runtime = two_workers()?;
        let echoes = runtime.block_on(Echoes::spawn(actors))?;
        let measured = drive(&runtime, callers, bench.window, &echoes)?;
        runtime.block_on(echoes.stop())?;
        Ok(measured)
    })
}

pub(crate) fn name(actors: u32, callers: u32) -> Name {
    Name::of("ractor call").callers(callers).entities(actors)
}

/// Answers with what it is asked.
pub(crate) struct Echo;

pub(crate) struct ActorCall(u64, RpcReplyPort<u64>);

impl ractor::Message for ActorCall {}

impl Actor for Echo {
    type Msg = ActorCall;
    type State = u64;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<ActorCall>, (): ()) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(
        &self,
        _: ActorRef<ActorCall>,
        ActorCall(amount, port): ActorCall,
        balance: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        *balance = balance.wrapping_add(amount);
        let _ = port.send(*balance); // the caller is gone when the row is over
        Ok(())
    }
}

/// Actors, shared by callers.
#[derive(Clone)]
pub(crate) struct Echoes(Arc<[ActorRef<ActorCall>]>);

impl Echoes {
    pub(crate) async fn spawn(count: u32) -> Result<Self> {
        let mut echoes = Vec::with_capacity(count as usize);
        for _ in 0..count {
            echoes.push(Actor::spawn(None, Echo, ()).await?.0);
        }
        Ok(Self(echoes.into()))
    }

    pub(crate) async fn stop(self) -> Result<()> {
        for echo in self.0.iter() {
            echo.stop(None);
        }
        for echo in self.0.iter() {
            echo.wait(None).await?;
        }
        Ok(())
    }
}

impl Target for Echoes {
    async fn call(&self, choices: &mut fastrand::Rng) {
        let echo = &self.0[choices.usize(..self.0.len())];
        let amount = choices.u64(..100);
        match echo.call(|port| ActorCall(amount, port), None).await {
            Ok(CallResult::Success(_)) => {}
            other => panic!("an actor that runs answers, this one said {other:?}"),
        }
    }
}
