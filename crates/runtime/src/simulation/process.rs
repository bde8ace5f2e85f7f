use super::{Beat, Desk, Hosting, Log, Place, Scene, host::Host, journal::Journal};
use super::{Dice, hosted::Hosted, scene::Traits};
use actum_host::{
    IdBudget,
    cell::{ByEvents, ByState, Ticket},
};
use actum_model::Partition;
use actum_persistence::{group_commit::Settled, store::Incarnation};
use std::sync::Arc;

/// One life of the process: its hosts, and what they have on its way.
pub(crate) struct Process {
    pub(crate) life: u32,
    pub(crate) incarnation: Incarnation,
    /// By partition, then by kind.
    pub(crate) hosts: Vec<Box<dyn Hosting>>,
    pub(crate) desk: Desk,
    /// How far its wall clock is off, in microseconds.
    pub(crate) skew: i64,
    /// What its monotonic clock showed at the beginning of everything, in microseconds.
    pub(crate) uptime: u64,
    /// Whether it knows that it was shut out of the journal.
    pub(crate) fenced: bool,
    /// How many more steps it may take to stop, once it has begun to.
    pub(crate) patience: Option<u32>,
}

impl Process {
    pub(crate) fn new(
        life: u32,
        by: Incarnation,
        (skew, uptime): (i64, u64),
        scene: &Scene,
        log: &Log,
    ) -> Self {
        let mut hosts: Vec<Box<dyn Hosting>> = Vec::new();
        let ids = Arc::new(IdBudget::new(scene.ids_bytes_max));
        for partition in scene.layout.partitions.iter() {
            for kind in 0..scene.kinds.len() {
                let place = place(life, hosts.len(), partition, kind, scene);
                hosts.push(host(place, &scene.kinds[kind], (by, &ids), log.clone()));
            }
        }
        let desk = Desk::new(scene, by);
        Self { life, incarnation: by, hosts, desk, skew, uptime, fenced: false, patience: None }
    }

    /// The number of the host of an entity.
    pub(crate) fn host_of(scene: &Scene, entity: u32) -> usize {
        let member = &scene.entities[entity as usize];
        member.partition.index() * scene.kinds.len() + member.kind
    }

    /// Whether it is alive as far as it knows, and takes commands.
    pub(crate) fn takes_commands(&self) -> bool {
        self.patience.is_none()
    }

    pub(crate) fn turn(&mut self, host: usize, beat: &Beat) {
        self.hosts[host].turn(beat, &mut self.desk);
    }

    /// Leaves what was settled with the hosts.
    pub(crate) fn leave(&mut self, settled: Vec<Settled<Ticket>>) {
        for Settled { ticket, result, .. } in settled {
            self.hosts[usize::from(ticket.kind)].leave_committed(ticket, result);
        }
    }

    pub(crate) fn stop(&mut self, patience: u32) {
        self.patience = Some(patience);
        self.hosts.iter_mut().for_each(|host| host.drain());
    }

    /// Whether nobody waits any more and nothing is under way.
    pub(crate) fn is_drained(&self) -> bool {
        self.desk.is_quiet() && self.hosts.iter().all(|host| host.live() == 0 && !host.has_mail())
    }

    /// Its writers stop: what they have not done is settled.
    pub(crate) fn stop_writers(&mut self, journal: &mut Journal, dice: &mut Dice) {
        let lanes = self.desk.lanes.iter_mut();
        let mut settled: Vec<_> = lanes.flat_map(|lane| lane.stop(journal, dice)).collect();
        settled.extend(self.desk.states.stop(journal, dice));
        self.leave(settled);
    }

    /// Nothing of it does anything any more; its transactions may still end either way.
    pub(crate) fn die(&mut self, journal: &mut Journal, dice: &mut Dice) {
        self.desk.lanes.iter_mut().for_each(|lane| lane.die(journal, dice));
        self.desk.states.die(journal, dice);
        journal.late_snapshots.append(&mut self.desk.snapshots);
    }

    pub(crate) fn abandon(&mut self, beat: &Beat) {
        self.hosts.iter_mut().for_each(|host| host.abandon(beat, &mut self.desk));
    }
}

fn place(life: u32, nr: usize, partition: Partition, kind: usize, scene: &Scene) -> Place {
    let lane = actum_model::Lane::of_partition(partition, scene.layout.lanes);
    let nr = u16::try_from(nr).expect("a simulation has few hosts");
    Place { life, nr, partition, lane, cells_max: scene.kinds[kind].cells_max }
}

fn host(
    place: Place,
    traits: &Traits,
    by: (Incarnation, &Arc<IdBudget>),
    log: Log,
) -> Box<dyn Hosting> {
    if traits.by_state {
        boxed::<ByState<super::Board>>(Host::new(place, traits.boards(by), log))
    } else {
        boxed::<ByEvents<super::Chain>>(Host::new(place, traits.chains(by), log))
    }
}

fn boxed<M: Hosted>(host: Host<M>) -> Box<dyn Hosting> {
    Box::new(host)
}
