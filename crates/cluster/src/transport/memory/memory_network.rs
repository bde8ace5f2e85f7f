use super::{memory_transport::MemoryTransport, network_nodes::NetworkNodes};
use actum_persistence::store::Incarnation;
use std::{sync::Arc, time::Duration};

/// A network within one process: connects its [`MemoryTransport`]s, and breaks as tests want it.
///
/// Each node may have a tokio runtime of its own, with a clock of its own: what arrives at it is reported by a task of the
/// runtime that it was started in. Frames are delivered by tasks, in order, behind a [delay](Self::set_delay). Where a direction
/// is [cut](Self::cut) they are held until it is healed, as TCP does; a new connection needs both directions.
#[derive(Clone, Debug, Default)]
pub struct MemoryNetwork(Arc<NetworkNodes>);

impl MemoryNetwork {
    /// A network without nodes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The transport of the node `incarnation`, which listens once it is started.
    #[must_use]
    pub fn transport(&self, incarnation: Incarnation) -> Arc<MemoryTransport> {
        Arc::new(MemoryTransport::new(self.0.clone(), incarnation))
    }

    /// How long a frame takes from now on; zero at first.
    pub fn set_delay(&self, delay: Duration) {
        self.0.ways.set_delay(delay);
    }

    /// How long each frame takes from now on is drawn from a seed: up to `delay_max`. None overtakes another one of its
    /// connection.
    pub fn set_chance_delay(&self, seed: u64, delay_max: Duration) {
        self.0.ways.set_chance_delay(seed, delay_max);
    }

    /// Nothing goes from `from` to `to` any more.
    pub fn cut(&self, from: Incarnation, to: Incarnation) {
        self.0.ways.cut(from, to);
    }

    /// Nothing goes between both any more.
    pub fn cut_both(&self, one: Incarnation, other: Incarnation) {
        self.cut(one, other);
        self.cut(other, one);
    }

    /// Nothing goes from or to this node any more, as when its process is stopped.
    pub fn isolate(&self, node: Incarnation) {
        for other in self.0.others(node) {
            self.cut_both(node, other);
        }
    }

    /// Nothing is cut any more.
    pub fn heal(&self) {
        self.0.ways.heal();
    }

    /// The node is dead: its connections end at once, it hears nothing more, and refuses all that dial it.
    pub fn kill(&self, node: Incarnation) {
        self.0.kill(node);
    }

    /// The connections of this node shall be replaced, as if its certificates had been.
    pub fn renew(&self, node: Incarnation) {
        self.0.renew(node);
    }
}
