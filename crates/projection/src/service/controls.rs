use super::{control_state::ControlState, work::Hurry};
use tokio::sync::watch;

/// The runner's end.
pub(super) struct Controls {
    wanted: watch::Sender<ControlState>,
    hurry: Hurry,
}

impl Controls {
    pub(super) fn new(hurry: Hurry) -> (Self, watch::Receiver<ControlState>) {
        let (wanted, receiver) = watch::channel(ControlState::default());
        (Self { wanted, hurry }, receiver)
    }

    /// Asks the task to end.
    pub(super) fn end(&self) {
        self.hurry.set();
        self.wanted.send_if_modified(|wanted| !std::mem::replace(&mut wanted.ends, true));
    }

    /// Ends the task of a segment that was rewound, or taken by another.
    pub(super) fn lose(&self) {
        self.hurry.set();
        self.wanted.send_modify(|wanted| wanted.is_lost = true);
    }

    /// Asks it to read what is requested.
    pub(super) fn request(&self) {
        self.wanted.send_modify(|wanted| wanted.requests += 1);
    }
}
