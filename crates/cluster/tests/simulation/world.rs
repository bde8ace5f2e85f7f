use crate::{
    checks,
    happened::{Happened, Outcome},
    plan::{Flaw, Plan},
    sim_node::{Ground, SimNode},
    watched_members::WatchedMembers,
};
use actum_cluster::transport::MemoryNetwork;
use actum_model::PartitionCount;
use actum_persistence::store::JournalLayout;
use actum_store_memory::MemoryStore;
use actum_testkit::{Faults, Rates};
use fastrand::Rng;
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// How long things go wrong.
const TROUBLE: Duration = Duration::from_secs(15);

/// How long it may take from then on until everything is served by all nodes and shared out: twice a lease, and what nodes
/// take to join, to hand off and to settle.
const REST_MAX: Duration = Duration::from_secs(12);

/// As long as it takes a node to renew, and to find out what it has missed.
const REST_MIN: Duration = Duration::from_millis(1_500);

/// How long after its trouble a node may be removed for it: a lease, and half of one until it has renewed again.
const TROUBLE_COUNTS_FOR: Duration = Duration::from_millis(4_500);

/// All nodes, their journal and their network, and the clients that send commands to them.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) flaw: Flaw,
    rng: Rng,
    pub(crate) memory: MemoryStore,
    network: MemoryNetwork,
    pub(crate) happened: Arc<Happened>,
    nodes: Vec<SimNode>,
    loses_answers: Arc<AtomicBool>,
    pub(crate) troubles: Vec<Trouble>,
    /// Commands with an id that may be sent again: the tag, its entity, the attempt before.
    retries: Vec<(u64, usize, usize)>,
    next_tag: u64,
    pub(crate) story: Vec<String>,
}

/// A node that was not well, for a reason for which it may be removed.
pub(crate) struct Trouble {
    node: String,
    from: Duration,
    to: Option<Duration>,
}

impl Trouble {
    pub(crate) fn explains(&self, node: &str, at: Duration) -> bool {
        let to = self.to.map_or(Duration::MAX, |to| to + TROUBLE_COUNTS_FOR);
        self.node == node && (self.from..=to).contains(&at)
    }
}

impl World {
    pub(crate) fn new(seed: u64, flaw: Flaw) -> Self {
        let mut rng = Rng::with_seed(seed);
        // the names of processes are drawn from it
        fastrand::seed(seed);
        let plan = Plan::draw(&mut rng);
        let partitions = PartitionCount::new(plan.partitions).expect("a count");
        let layout = JournalLayout { partitions, ..JournalLayout::default() };
        let network = MemoryNetwork::new();
        network.set_chance_delay(rng.u64(..), plan.network_delay_max);
        Self {
            loses_answers: Arc::new(AtomicBool::new(!plan.is_calm)),
            plan,
            flaw,
            rng,
            memory: MemoryStore::with_layout(layout),
            network,
            happened: Arc::default(),
            nodes: Vec::new(),
            troubles: Vec::new(),
            retries: Vec::new(),
            next_tag: 1,
            story: Vec::new(),
        }
    }

    /// Plays the whole run, and says what was wrong.
    pub(crate) fn run(mut self) -> Played {
        for name in &NAMES[..self.plan.nodes] {
            self.start(name);
        }
        while self.happened.now() < TROUBLE {
            if self.draws(self.plan.mishaps_per_mille) {
                self.mishap();
            }
            self.clients();
            self.tick();
        }
        self.heal();
        self.come_to_rest();
        let nodes = std::mem::take(&mut self.nodes);
        nodes.into_iter().for_each(|node| node.kill(&self.network));
        let digest = checks::check(&mut self);
        let wrong = std::mem::take(&mut *self.happened.wrong.lock());
        Played { wrong, digest, story: self.story, attempts: self.happened.attempts.lock().len() }
    }

    fn draws(&mut self, per_mille: u64) -> bool {
        self.rng.u64(0..1_000) < per_mille
    }

    pub(crate) fn tell(&mut self, what: impl AsRef<str>) {
        self.story.push(format!("{:>9.3?} {}", self.happened.now(), what.as_ref()));
    }

    /// All nodes run for a tick, in an order of chance.
    fn tick(&mut self) {
        self.happened.pass(self.plan.tick);
        let mut order: Vec<_> = (0..self.nodes.len()).collect();
        self.rng.shuffle(&mut order);
        for nr in order {
            self.nodes[nr].pass(self.plan.tick);
        }
        let ended: Vec<_> = self.nodes.extract_if(.., |node| node.has_ended()).collect();
        for node in ended {
            self.tell(format!("{} has ended", node.name));
            self.begin_trouble(&node.name);
            node.kill(&self.network);
        }
    }

    fn start(&mut self, name: &str) {
        let faults = Faults::new();
        if !self.plan.is_calm {
            faults.chance(self.rng.u64(..), self.plan.rates);
        }
        let members = WatchedMembers {
            memory: self.memory.reopen(),
            happened: Arc::clone(&self.happened),
            rng: Mutex::new(self.rng.fork()),
            delay_max: self.plan.store_delay_max,
            loses_answers: Arc::clone(&self.loses_answers),
        };
        // clocks run apart as far as leases allow for it: a thousandth
        let rate = self.rng.u64(999_500..=1_000_500);
        self.tell(format!("{name} starts"));
        self.end_trouble(name);
        let happened = Arc::clone(&self.happened);
        let (network, flaw) = (&self.network, self.flaw);
        let ground = Ground { network, members, faults, happened, flaw, rate };
        self.nodes.push(SimNode::start(name, ground));
    }

    fn mishap(&mut self) {
        let missing = NAMES[..self.plan.nodes]
            .iter()
            .find(|name| self.nodes.iter().all(|node| node.name != **name));
        let serving: Vec<_> = (0..self.nodes.len()).filter(|nr| self.nodes[*nr].serves()).collect();
        if let Some(name) = missing.filter(|_| self.rng.bool()) {
            return self.start(name);
        }
        let Some(nr) = self.rng.choice(serving.iter().copied()) else { return };
        let name = self.nodes[nr].name.clone();
        if self.plan.is_calm {
            if serving.len() > 2 {
                self.tell(format!("{name} leaves"));
                self.nodes[nr].leave();
            }
            return;
        }
        match self.rng.u8(0..9) {
            0 => {
                self.tell(format!("{name} is killed"));
                self.begin_trouble(&name);
                self.nodes.swap_remove(nr).kill(&self.network);
            }
            1 if serving.len() > 1 => {
                self.tell(format!("{name} leaves"));
                self.nodes[nr].leave();
            }
            2 => {
                self.tell(format!("{name} is stopped"));
                self.begin_trouble(&name);
                self.nodes[nr].is_stopped = true;
            }
            3 => {
                self.tell(format!("{name} loses the journal"));
                self.begin_trouble(&name);
                self.nodes[nr].faults.lose_journal();
            }
            4 | 5 => {
                let other = self.rng.usize(0..self.nodes.len());
                let ends = [nr, other].map(|nr| self.nodes[nr].incarnation());
                if let ([Some(from), Some(to)], true) = (ends, nr != other) {
                    let is_one_way = self.rng.bool();
                    self.tell(format!("{from} is cut from {to}, one way: {is_one_way}"));
                    self.network.cut(from, to);
                    if !is_one_way {
                        self.network.cut(to, from);
                    }
                }
            }
            6 => {
                self.tell(format!("{name} is isolated"));
                if let Some(incarnation) = self.nodes[nr].incarnation() {
                    self.network.isolate(incarnation);
                }
            }
            _ => self.mend_something(),
        }
    }

    fn mend_something(&mut self) {
        let nr = self.rng.usize(0..self.nodes.len());
        self.network.heal();
        self.mend(nr);
    }

    fn mend(&mut self, nr: usize) {
        let name = self.nodes[nr].name.clone();
        self.tell(format!("{name} and the network are mended"));
        let (node, rates) = (&mut self.nodes[nr], self.plan.rates);
        node.go_on();
        node.faults.stop();
        if !self.plan.is_calm {
            node.faults.chance(self.rng.u64(..), rates);
        }
        self.end_trouble(&name);
    }

    fn begin_trouble(&mut self, node: &str) {
        let (node, from, to) = (node.to_owned(), self.happened.now(), None);
        self.troubles.push(Trouble { node, from, to });
    }

    fn end_trouble(&mut self, node: &str) {
        let now = self.happened.now();
        for trouble in self.troubles.iter_mut().filter(|trouble| trouble.node == node) {
            trouble.to.get_or_insert(now);
        }
    }

    /// Clients send commands to nodes by chance, and some again that had no answer.
    fn clients(&mut self) {
        if !self.draws(self.plan.commands_per_mille) {
            return;
        }
        let (entity, timeout) = (self.rng.usize(0..self.plan.entities), self.timeout());
        let serving: Vec<_> = (0..self.nodes.len()).filter(|nr| self.nodes[*nr].serves()).collect();
        let Some(nr) = self.rng.choice(serving) else { return };
        let node = &self.nodes[nr];
        let again = (!self.retries.is_empty() && self.rng.u8(0..3) == 0)
            .then(|| self.retries.swap_remove(self.rng.usize(0..self.retries.len())));
        if let Some((tag, entity, before)) = again {
            if !self.happened.is_answered(before) {
                let attempt = self.happened.attempts.lock().len();
                node.send(entity, Some(tag), true, timeout);
                self.retries.push((tag, entity, attempt));
            }
            return;
        }
        let tag = (self.rng.u8(0..5) > 1).then_some(self.next_tag);
        self.next_tag += 1;
        let has_id = self.rng.bool();
        let attempt = self.happened.attempts.lock().len();
        node.send(entity, tag, has_id, timeout);
        if let Some(tag) = tag {
            if has_id {
                self.retries.push((tag, entity, attempt));
            } else if self.flaw == Flaw::SentTwice {
                node.send(entity, Some(tag), false, timeout);
            }
        }
    }

    fn timeout(&mut self) -> Duration {
        if self.plan.is_calm {
            return Duration::from_secs(10);
        }
        Duration::from_millis(self.rng.u64(50..6_000))
    }

    /// Nothing is wrong any more, and every node runs.
    fn heal(&mut self) {
        self.tell("everything is mended");
        self.loses_answers.store(false, Ordering::Relaxed);
        self.network.heal();
        self.network.set_chance_delay(1, Duration::from_millis(2));
        self.plan.rates = Rates::default();
        (0..self.nodes.len()).for_each(|nr| self.mend(nr));
    }

    /// Everything is served and shared out again in time, and every node reaches every entity.
    fn come_to_rest(&mut self) {
        let mended = self.happened.now();
        // what nodes see at first is what they saw before
        while self.happened.now() < mended + REST_MIN || !self.is_settled() {
            if self.happened.now() >= mended + REST_MAX {
                let views: Vec<_> = self.nodes.iter().map(SimNode::describe).collect();
                self.happened.wrong(format!("not settled in time: {views:#?}"));
                return;
            }
            let missing = NAMES[..self.plan.nodes]
                .iter()
                .find(|name| self.nodes.iter().all(|node| node.name != **name));
            if let Some(name) = missing {
                self.start(name);
            }
            self.tick();
        }
        self.tell("everything has come to rest");
        let first = self.happened.attempts.lock().len();
        for nr in 0..self.nodes.len() {
            for entity in 0..self.plan.entities {
                self.nodes[nr].send(entity, Some(self.next_tag), true, Duration::from_secs(2));
                self.next_tag += 1;
            }
        }
        let until = self.happened.now() + Duration::from_secs(3);
        while self.happened.now() < until {
            self.tick();
        }
        for attempt in self.happened.attempts.lock()[first..].iter() {
            if !matches!(attempt.ended, Some((_, Outcome::Answered(_)))) {
                self.happened.wrong(format!("not served at rest: {attempt:?}"));
            }
        }
    }

    fn is_settled(&self) -> bool {
        let (all, nodes) = (usize::from(self.plan.partitions), self.plan.nodes);
        let shares = all / nodes..=all.div_ceil(nodes);
        self.nodes.len() == nodes
            && self.nodes.iter().all(|node| {
                node.node().is_some_and(|node| {
                    let view = node.view();
                    let is_moving = view.partitions.iter().any(|one| one.is_moving);
                    let owned = view.members.iter().all(|one| shares.contains(&one.partitions));
                    view.members.len() == nodes && view.is_complete() && owned && !is_moving
                })
            })
    }
}

/// What has come of a run.
pub(crate) struct Played {
    pub(crate) wrong: Vec<String>,
    /// Stands for everything that clients and the journal have seen.
    pub(crate) digest: u64,
    pub(crate) story: Vec<String>,
    pub(crate) attempts: usize,
}
