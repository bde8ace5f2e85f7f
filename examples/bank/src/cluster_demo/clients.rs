use super::{client_tally::ClientTally, nodes::Nodes};
use crate::{
    client::{Action, Client, Order, Outcome},
    domain::Money,
};
use anyhow::{Context, Result, bail};
use parking_lot::{Mutex, RwLock};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// How long a client waits before it tries another node.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the last orders may take to be answered.
const LAST_ORDERS: Duration = Duration::from_secs(60);

/// Those who send orders.
pub(super) struct Clients {
    tally: Arc<ClientTally>,
    ending: Arc<AtomicBool>,
    tasks: JoinSet<Result<()>>,
    /// What must be on each account, by its number.
    sums: Arc<Mutex<Vec<u64>>>,
    run: String,
}

/// Whether every account shows what was acknowledged.
#[derive(Debug)]
pub(super) struct Checked {
    accounts: usize,
    wrong: Vec<String>,
}

impl Clients {
    pub(super) fn start(nodes: &Nodes, clients: u32, accounts: u32) -> Self {
        let (tally, ending) = (Arc::<ClientTally>::default(), Arc::<AtomicBool>::default());
        let sums = Arc::new(Mutex::new(vec![0; accounts as usize]));
        let run = format!("{:08x}", fastrand::u32(..));
        let mut tasks = JoinSet::new();
        for nr in 0..clients {
            let sender = Sender {
                nodes: nodes.clients(),
                tally: Arc::clone(&tally),
                ending: Arc::clone(&ending),
                sums: Arc::clone(&sums),
                run: run.clone(),
            };
            tasks.spawn(sender.send_all(nr, clients));
        }
        Self { tally, ending, tasks, sums, run }
    }

    pub(super) fn tally(&self) -> &ClientTally {
        &self.tally
    }

    /// Lets what was begun be answered, and compares each account with what was acknowledged.
    pub(super) async fn end(mut self, nodes: &Nodes) -> Result<Checked> {
        self.ending.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.context("a client failed")??;
        }
        let (clients, sums) = (nodes.clients(), self.sums.lock().clone());
        let client = clients.read().first().cloned().context("no bank is left")?;
        let mut wrong = Vec::new();
        for (nr, sum) in sums.iter().enumerate().filter(|(_, sum)| **sum > 0) {
            let account = account(&self.run, nr);
            let shown = client.standing(&account).await?.balance.minor_units();
            if shown != *sum {
                wrong.push(format!("{account} shows {shown}, and {sum} was acknowledged"));
            }
        }
        Ok(Checked { accounts: sums.iter().filter(|sum| **sum > 0).count(), wrong })
    }
}

fn account(run: &str, nr: usize) -> String {
    format!("demo-{run}-{nr}")
}

/// One client: it has some accounts of its own.
struct Sender {
    nodes: Arc<RwLock<Vec<Client>>>,
    tally: Arc<ClientTally>,
    ending: Arc<AtomicBool>,
    sums: Arc<Mutex<Vec<u64>>>,
    run: String,
}

impl Sender {
    async fn send_all(self, first: u32, step: u32) -> Result<()> {
        let count = self.sums.lock().len();
        let own: Vec<usize> = (first as usize..count).step_by(step as usize).collect();
        for nr in &own {
            let account = account(&self.run, *nr);
            let key = format!("open-{account}");
            let opening = Order { account, action: Action::Open("Ada".to_owned()), key };
            self.send(&opening).await?;
        }
        for round in 0_u64.. {
            for nr in &own {
                if self.ending.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let account = account(&self.run, *nr);
                let key = format!("{account}-{round}");
                let amount = Money::new(1).context("one is an amount")?;
                let order = Order { account, action: Action::Deposit(amount), key };
                self.send(&order).await?;
                self.sums.lock()[*nr] += 1;
            }
            if own.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Sends an order to one node after the other, until its outcome is known.
    async fn send(&self, order: &Order) -> Result<()> {
        let begun = Instant::now();
        let mut ends_at = None;
        loop {
            if let Some(client) = self.node() {
                match client.send(order).await {
                    Outcome::Applied(_) => {
                        self.tally.answered(begun.elapsed());
                        return Ok(());
                    }
                    Outcome::Unsure(_) => self.tally.again(),
                    Outcome::Refused => bail!("{order:?} was refused"),
                    Outcome::Failed(why) => bail!("{order:?}: {why}"),
                }
            }
            if self.ending.load(Ordering::Relaxed) {
                let end = *ends_at.get_or_insert_with(|| Instant::now() + LAST_ORDERS);
                if Instant::now() >= end {
                    bail!("{order:?} has no answer");
                }
            }
            sleep(PAUSE).await;
        }
    }

    fn node(&self) -> Option<Client> {
        let nodes = self.nodes.read();
        (!nodes.is_empty()).then(|| nodes[fastrand::usize(..nodes.len())].clone())
    }
}

impl Checked {
    pub(super) fn is_right(&self) -> bool {
        self.wrong.is_empty()
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_right() {
            return write!(f, "all {} balances are exactly what was acknowledged", self.accounts);
        }
        write!(f, "{} of {} balances are wrong:", self.wrong.len(), self.accounts)?;
        self.wrong.iter().try_for_each(|wrong| write!(f, "\n  {wrong}"))
    }
}
