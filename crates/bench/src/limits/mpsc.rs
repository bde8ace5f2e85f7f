//! A task and a channel for each entity, a oneshot for each answer: what tokio alone gives.

use crate::{
    case::Case,
    drive::{Target, drive, two_workers},
    name::Name,
};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Calls to so many tasks, chosen at random.
pub(crate) fn case(tasks: u32, callers: u32) -> Case {
    Case::new(name(tasks, callers), move |bench, _| {
        let runtime = two_workers()?;
        let entered = runtime.enter();
        let echoes = EchoTasks((0..tasks).map(|_| spawn()).collect());
        drop(entered);
        drive(&runtime, callers, bench.window, &echoes)
    })
}

pub(crate) fn name(tasks: u32, callers: u32) -> Name {
    Name::of("tokio mpsc + oneshot").callers(callers).entities(tasks)
}

type ChannelCall = (u64, oneshot::Sender<u64>);

/// How many calls wait for one task: more than there are callers.
const WAITING_MAX: usize = 1_024;

fn spawn() -> mpsc::Sender<ChannelCall> {
    let (sender, mut receiver) = mpsc::channel::<ChannelCall>(WAITING_MAX);
    tokio::spawn(async move {
        let mut balance = 0_u64;
        while let Some((amount, port)) = receiver.recv().await {
            balance = balance.wrapping_add(amount);
            let _ = port.send(balance); // the caller is gone when the row is over
        }
    });
    sender
}

#[derive(Clone)]
struct EchoTasks(Arc<[mpsc::Sender<ChannelCall>]>);

impl Target for EchoTasks {
    async fn call(&self, choices: &mut fastrand::Rng) {
        let echo = &self.0[choices.usize(..self.0.len())];
        let (port, answer) = oneshot::channel();
        let sent = echo.send((choices.u64(..100), port)).await;
        sent.expect("the task runs as long as someone can call it");
        answer.await.expect("the task answers every call");
    }
}
