use super::{Dice, Ledger, Order, Plan, Scene, Seen, ledger::End};
use actum_host::Moment;
use std::time::Duration;

/// The types of commands there are.
const COMMANDS: [&str; 2] = ["change", "amend"];

/// How many of an entity's former commands are sent again.
const RETRIED_MAX: usize = 10;

/// The callers that send commands, and send them again.
pub(crate) struct Clients {
    next_id: u32,
    /// By entity: the sendings that carry an id.
    with_id: Vec<Vec<u32>>,
}

impl Clients {
    pub(crate) fn new(entities: usize) -> Self {
        Self { next_id: 0, with_id: vec![Vec::new(); entities] }
    }

    /// A command to some entity of an engine that runs as `life`.
    pub(crate) fn order(
        &mut self,
        dice: &mut Dice,
        scene: &Scene,
        ledger: &mut Ledger,
        now: Moment,
        life: u32,
    ) -> Order {
        let entity = dice.place(scene.entities.len()) as u32;
        let mut order = Order {
            nr: ledger.sent.len() as u32,
            entity,
            id: None,
            command: COMMANDS[dice.place(2)],
            plan: Plan::any(dice, scene.faults.flawed),
            deadline: now.after(patience(dice)),
            expected_revision: expectation(dice, ledger.truths[entity as usize].head()),
        };
        let known = &self.with_id[entity as usize];
        if !known.is_empty() && dice.chance(350) {
            let newest = known.len().saturating_sub(RETRIED_MAX);
            let first = known[newest + dice.place(known.len() - newest)];
            send_again(&mut order, first, dice, ledger, life);
        } else if dice.chance(700) {
            self.next_id += 1;
            order.id = Some(self.next_id);
        }
        if order.id.is_some() {
            self.with_id[entity as usize].push(order.nr);
        }
        order
    }
}

/// Makes `order` a retry of `first`, or something that bears its id wrongly.
fn send_again(order: &mut Order, first: u32, dice: &mut Dice, ledger: &mut Ledger, life: u32) {
    let first = &ledger.sent[first as usize];
    order.id = first.order.id;
    let mut seen = vec![Seen::RetrySent];
    if dice.chance(850) {
        order.plan = first.order.plan;
    } else {
        seen.push(Seen::RetryWithOtherPlan);
    }
    if dice.chance(920) {
        order.command = first.order.command;
    }
    match first.end {
        None => seen.push(Seen::RetryWhileUnderWay),
        Some(End::Unknown | End::Lost) => seen.push(Seen::RetryOfUnknown),
        Some(_) => {}
    }
    if first.life != Some(life) {
        seen.push(Seen::RetryInAnotherLife);
    }
    seen.into_iter().for_each(|seen| ledger.coverage.saw(seen));
}

fn patience(dice: &mut Dice) -> Duration {
    let millis = match dice.weighted(&[20, 60, 20]) {
        0 => dice.between(1, 20),
        1 => dice.between(20, 400),
        _ => dice.between(400, 20_000),
    };
    Duration::from_millis(millis)
}

fn expectation(dice: &mut Dice, head: u64) -> Option<u64> {
    match dice.weighted(&[88, 9, 2, 1]) {
        0 => None,
        1 => Some(head),
        2 => Some(head + 1),
        _ => Some(head.saturating_sub(1)),
    }
}
