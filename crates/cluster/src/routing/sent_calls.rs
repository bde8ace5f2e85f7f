use super::routed_call::RoutedCall;
use actum_persistence::store::Incarnation;
use dashmap::DashMap;
use parking_lot::Mutex;
use tokio::time::Instant;

/// Commands that were sent and are not answered, by their numbers; in a sharded table, since callers, links and the node
/// change it at the same time.
#[derive(Debug, Default)]
pub(super) struct SentCalls(DashMap<u64, SentCall>);

#[derive(Debug)]
struct SentCall {
    /// Who is to answer it.
    to: Incarnation,
    late_at: Instant,
    /// Only for taking it out: a command may be no one's but the one's who has it.
    call: Mutex<RoutedCall>,
}

impl SentCalls {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn insert(&self, to: Incarnation, call: RoutedCall) {
        let late_at = Instant::now() + call.command.time_left();
        self.0.insert(call.nr, SentCall { to, late_at, call: Mutex::new(call) });
    }

    /// Takes the command of this number, if it was sent to that node.
    pub(super) fn take_one(&self, nr: u64, to: Incarnation) -> Option<RoutedCall> {
        let (_, sent) = self.0.remove_if(&nr, |_, sent| sent.to == to)?;
        Some(sent.call.into_inner())
    }

    /// Takes those that were sent to such a node, in the order of their numbers.
    pub(super) fn take(&self, is_wanted: impl Fn(Incarnation) -> bool) -> Vec<RoutedCall> {
        self.take_if(|sent| is_wanted(sent.to))
    }

    /// Takes those whose callers have stopped waiting.
    pub(super) fn take_late(&self) -> Vec<RoutedCall> {
        let now = Instant::now();
        self.take_if(|sent| sent.late_at <= now)
    }

    fn take_if(&self, is_wanted: impl Fn(&SentCall) -> bool) -> Vec<RoutedCall> {
        let wanted = self.0.iter().filter(|sent| is_wanted(sent));
        let mut nrs: Vec<u64> = wanted.map(|sent| *sent.key()).collect();
        nrs.sort_unstable();
        let taken = nrs.iter().filter_map(|nr| self.0.remove_if(nr, |_, sent| is_wanted(sent)));
        taken.map(|(_, sent)| sent.call.into_inner()).collect()
    }
}
