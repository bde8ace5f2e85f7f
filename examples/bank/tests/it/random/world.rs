use super::{
    mails::Mails,
    parts::{begin_to_read, begin_to_write, rows},
    process::Process,
    trouble::Bad,
    writers::write_on,
};
use crate::place::Place;
use actum::{Engine, ProjectionRef, ReaderEngine, StartAt};
use std::{
    num::NonZeroU16,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::sleep,
};

/// How long a process that dies or is stopped keeps its segments.
pub(super) const LEASE: Duration = Duration::from_millis(500);
const ACCOUNTS: u64 = 12;
/// How many write at the same time.
const WRITERS: usize = 3;
/// How many read at the same time, at most.
const READERS_MAX: usize = 3;

/// Everything that outlives a process.
pub(super) struct World {
    pub(super) rng: fastrand::Rng,
    pub(super) place: Arc<Place>,
    pub(super) mails: Mails,
    /// None while it is replaced.
    pub(super) writer: Option<Process<Engine>>,
    pub(super) writing: JoinSet<()>,
    pub(super) is_over: Arc<AtomicBool>,
    pub(super) readers: Vec<Process<ReaderEngine>>,
    /// What was asked of projections, while everything else goes on.
    pub(super) asked: JoinSet<()>,
    pub(super) stopped: Vec<JoinHandle<()>>,
    pub(super) finds: Arc<Finds>,
}

/// What has happened: a run that never met a hard case proves little.
#[derive(Debug, Default)]
pub(super) struct Finds {
    pub(super) killed: AtomicU64,
    pub(super) stopped: AtomicU64,
    pub(super) divided: AtomicU64,
    pub(super) begun_again: AtomicU64,
    pub(super) events: AtomicU64,
}

pub(super) fn account(nr: u64) -> String {
    format!("account-{nr}")
}

impl World {
    pub(super) async fn new(place: Place, rng: fastrand::Rng) -> Self {
        let place = Arc::new(place);
        let writer = Some(Process::start(begin_to_write(Arc::clone(&place))).await);
        let is_over = Arc::default();
        let mails = Mails::default();
        let (readers, asked, stopped) = (Vec::new(), JoinSet::new(), Vec::new());
        let (writing, finds) = (JoinSet::new(), Arc::default());
        let mut this =
            Self { rng, place, mails, writer, writing, is_over, readers, asked, stopped, finds };
        this.begin_writing();
        this
    }

    fn begin_writing(&mut self) {
        for _ in 0..WRITERS {
            let (rng, is_over) = (self.rng.fork(), Arc::clone(&self.is_over));
            let Some(writer) = &self.writer else { return };
            let writing = writer.spawn(|engine| write_on(engine, rng, is_over, ACCOUNTS));
            self.writing.spawn(async move { _ = writing.await });
        }
    }

    /// Something happens.
    pub(super) async fn disturb(&mut self) {
        match self.rng.u8(0..20) {
            0 | 1 => self.spoil(),
            2 | 3 => self.mails.trouble.mend(),
            4..=6 if self.readers.len() < READERS_MAX => self.start_one().await,
            7 | 8 => self.kill_one(),
            9 | 10 => self.stop_one(),
            11 if self.readers.len() > 1 => self.end_one().await,
            12 => self.replace_writer().await,
            13 => self.stop_writer(),
            _ => self.ask(),
        }
        self.assert_in_order().await;
        // only scatters what happens
        sleep(Duration::from_millis(self.rng.u64(..120))).await;
    }

    /// At any time each event was handled once, and all in front of it were.
    async fn assert_in_order(&self) {
        for (account, row) in rows(&self.place).await {
            assert_eq!(row.events, row.last, "{account}: {row:?}");
        }
    }

    fn spoil(&mut self) {
        let account = account(self.rng.u64(..ACCOUNTS));
        let bad = match self.rng.u8(..8) {
            0..=2 => Bad::Fails,
            3..=5 => Bad::Panics,
            6 => Bad::Hangs,
            _ => Bad::Unavailable,
        };
        let next = self.mails.last().get(&account).copied().unwrap_or(0) + 1;
        self.mails.trouble.set(&account, next + self.rng.u64(..10), bad);
    }

    pub(super) async fn start_one(&mut self) {
        let reads = begin_to_read(Arc::clone(&self.place), self.mails.clone());
        self.readers.push(Process::start(reads).await);
    }

    fn any_reader(&mut self) -> Option<usize> {
        (!self.readers.is_empty()).then(|| self.rng.usize(..self.readers.len()))
    }

    fn kill_one(&mut self) {
        if let Some(one) = self.any_reader() {
            drop(self.readers.swap_remove(one));
            self.finds.killed.fetch_add(1, Relaxed);
        }
    }

    /// One is stopped, in the middle of a batch perhaps, until others have taken over, or nearly.
    fn stop_one(&mut self) {
        if let Some(one) = self.any_reader() {
            let time = LEASE.mul_f64(0.5 + 2.0 * self.rng.f64());
            self.stopped.push(self.readers[one].stop_for(time));
            self.finds.stopped.fetch_add(1, Relaxed);
        }
    }

    async fn end_one(&mut self) {
        let one = self.readers.swap_remove(0);
        // the names of those that were late
        let _ = one.spawn(|readers| async move { readers.shutdown().await }).await;
    }

    /// What the one that writes has under way takes longer.
    fn stop_writer(&mut self) {
        if let Some(writer) = &self.writer {
            self.stopped.push(writer.stop_for(LEASE.mul_f64(0.5 * self.rng.f64())));
        }
    }

    /// The one that writes dies in the middle of appends, and another takes over.
    async fn replace_writer(&mut self) {
        self.writer = None;
        while self.writing.join_next().await.is_some() {}
        self.writer = Some(Process::start(begin_to_write(Arc::clone(&self.place))).await);
        self.begin_writing();
        self.finds.killed.fetch_add(1, Relaxed);
    }

    fn ask(&mut self) {
        let Some(one) = self.any_reader() else { return };
        let (what, is_sums, segments) = (self.rng.u8(..16), self.rng.bool(), self.rng.u16(1..10));
        let finds = Arc::clone(&self.finds);
        let asked = self.readers[one].spawn(|readers| async move {
            let [sums, mails] = ["sums", "mails"].map(|name| readers.projection(name));
            let any = if is_sums { &sums } else { &mails };
            // what fails, fails: these are asked while others die
            let is_done = match what {
                0 => any.pause().await.is_ok(),
                1..=3 => sums.resume().await.and(mails.resume().await).is_ok(),
                4 | 5 => {
                    sums.replay_parked(None).await.and(mails.replay_parked(None).await).is_ok()
                }
                6 => any.stop().await.is_ok(),
                7 | 8 => any.start().await.is_ok(),
                9 => sums.reset().await.is_ok(),
                10 => mails.rewind(StartAt::Beginning).await.is_ok(),
                _ => divided(any, segments).await,
            };
            let count = match what {
                9 | 10 => &finds.begun_again,
                11.. => &finds.divided,
                _ => return,
            };
            count.fetch_add(u64::from(is_done), Relaxed);
        });
        self.asked.spawn(async move { _ = asked.await });
    }
}

/// Divides it; says whether that was done.
pub(super) async fn divided(projection: &ProjectionRef, segments: u16) -> bool {
    let segments = NonZeroU16::new(segments).expect("1 or more");
    projection.divide(segments).await.is_ok()
}
