use tokio::sync::watch;

/// Whether this process runs a projection: what it was asked last, and what is so.
pub(super) struct RunSwitch {
    wanted: watch::Sender<bool>,
    stage: watch::Sender<RunStage>,
}

/// How far it is with what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunStage {
    /// It runs here, or ends, or has failed.
    On,
    /// It was stopped: what it had is given back.
    Off,
    /// The engine was shut down.
    Ended,
}

impl RunSwitch {
    /// One that is on.
    pub(super) fn new() -> Self {
        Self { wanted: watch::channel(true).0, stage: watch::channel(RunStage::On).0 }
    }

    /// Asks for it to be on, or off, and waits until it is so, until the contrary is asked for, or until nothing runs here any more;
    /// says how it is then.
    pub(super) async fn turn(&self, on: bool) -> RunStage {
        let (mut wanted, mut stage) = (self.wanted.subscribe(), self.stage.subscribe());
        self.wanted.send_replace(on);
        let so = if on { RunStage::On } else { RunStage::Off };
        let is_so = |stage: &RunStage| *stage == so || *stage == RunStage::Ended;
        tokio::select! {
            biased;
            _ = stage.wait_for(is_so) => {}
            _ = wanted.wait_for(|wanted| *wanted != on) => {}
        }
        *self.stage.borrow()
    }

    /// Changes whenever something is asked for, also what is so already.
    pub(super) fn wanted(&self) -> watch::Receiver<bool> {
        self.wanted.subscribe()
    }

    pub(super) fn set(&self, stage: RunStage) {
        self.stage.send_replace(stage);
    }
}
