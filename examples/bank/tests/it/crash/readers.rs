//! Processes that only read are killed over and over, while a bank writes: two of them share the segments of its projections with it,
//! and those are split and merged now and then. What they have committed is there once, and what they have not is done by others.

use super::{
    Journal, Ledger, divisions, list, moment::Moment, settle_in_the_end, statements,
    tellers::drive_by, watched::Watched,
};
use crate::{
    place::Place,
    program::Program,
    rivals::{more_answers, within},
    seed,
};
use bank::client::Client;
use std::{collections::BTreeSet, mem, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// How often one is killed.
const KILLS: usize = 40;
const LEASE: Duration = Duration::from_millis(500);
/// How many send orders at the same time.
const TELLERS: usize = 1;
/// How long it takes at most, as a rule, until one projects.
const START_TIME: Duration = Duration::from_millis(150);
/// How long it may take, on a busy machine too, until one that has begun has its share: those that died with it run out first.
const SHARE_OUT_MAX: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_are_killed_over_and_over_handle_every_event_once() {
    killed_over_and_over(&Place::file()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_on_postgres_that_are_killed_over_and_over_handle_every_event_once() {
    let Some(place) = Place::postgres().map(Place::with_long_lease) else { return };
    killed_over_and_over(&place).await;
}

async fn killed_over_and_over(place: &Place) {
    let (mut random, ledger) = (seed::random(), Arc::new(Ledger::new()));
    let mut bank = Program::serve(args(place.args()));
    let url = within(bank.url()).await;
    let client = Client::new(url.clone()).unwrap();
    settle_in_the_end(&client, &ledger, &mut random).await;
    let watched = Watched::at(place).await;

    let mut choices = random.fork();
    let mut readers = Readers::start(place);
    let killing = async {
        for _ in 0..KILLS {
            readers.kill_one(&client, &watched, &ledger, &mut choices).await;
        }
        ledger.close();
    };
    let (undisturbed, ()) = tokio::join!(drive_by(TELLERS, &client, &ledger, &mut random), killing);
    assert!(undisturbed, "the bank answers every order");
    ledger.reopen();
    settle_in_the_end(&client, &ledger, &mut random).await;

    while within(readers.divisions.join_next()).await.is_some() {}
    divisions::divide_in_the_end(&client, &mut random).await;
    println!("all handled after {:?}", watched.until_all_is_handled().await);
    let listed = list::read(&url).await;
    let shown = statements::read(&url, &ledger.accounts()).await;
    watched.assert_nothing_failed().await;
    watched.close().await;
    readers.assert_worth_it();
    for program in readers.living.into_iter().chain([bank]) {
        program.signal("TERM").await;
        assert!(within(program.ended()).await.success());
    }
    let journal = Journal::read(place).await;
    list::compare(&listed, &journal);
    shown.compare(&journal);
    ledger.assert_settled();
    ledger.audit(&journal);
    println!("{}", ledger.summary());
}

/// What all are started with: they are always in the midst of writing, and soon taken for dead.
fn args(args: Vec<String>) -> Vec<String> {
    let lease = format!("{}ms", LEASE.as_millis());
    let busy = ["--projection-interval", "0s", "--projection-segments", "6"];
    let lease = ["--projection-lease", &lease];
    args.into_iter().chain(busy.into_iter().chain(lease).map(str::to_owned)).collect()
}

/// The processes that only read, and those that are dead.
struct Readers<'a> {
    place: &'a Place,
    /// The newest last.
    living: [Program; 2],
    /// The names of those that were ever seen to run a segment.
    seen: BTreeSet<Arc<str>>,
    /// How many were killed that ran a segment beside another one.
    killed_at_work: usize,
    divisions: JoinSet<()>,
}

impl<'a> Readers<'a> {
    fn start(place: &'a Place) -> Self {
        let living = [Self::one(place), Self::one(place)];
        let (seen, divisions) = (BTreeSet::new(), JoinSet::new());
        Self { place, living, seen, killed_at_work: 0, divisions }
    }

    fn one(place: &Place) -> Program {
        Program::begin_to_project(args(place.database_args()))
    }

    /// Kills one at any moment, and starts another.
    async fn kill_one(
        &mut self,
        client: &Client,
        watched: &Watched,
        ledger: &Ledger,
        choices: &mut fastrand::Rng,
    ) {
        let victim = match Moment::any(choices, START_TIME) {
            Moment::Starting(delay) => {
                sleep(delay).await;
                1
            }
            Moment::Serving { and, .. } => {
                self.until_newest_works(watched).await;
                self.killed_at_work += 1;
                more_answers(ledger, choices.usize(1..10)).await;
                sleep(and).await;
                choices.usize(..2)
            }
        };
        if choices.u32(..4) == 0 {
            let (client, mut random) = (client.clone(), choices.fork());
            // what fails, fails: of those that run it one is killed
            let dividing = async move { divisions::divide_one(&client, 3, &mut random).await };
            self.divisions.spawn(dividing);
            sleep(Duration::from_micros(choices.u64(..50_000))).await;
        }
        if victim == 0 {
            self.living.swap(0, 1);
        }
        let dead = mem::replace(&mut self.living[1], Self::one(self.place));
        dead.kill().await;
    }

    /// Waits until the one that was started last runs a segment; the other one did so when it was that.
    async fn until_newest_works(&mut self, watched: &Watched) {
        let (began, known) = (Instant::now(), self.seen.len());
        while self.seen.len() == known {
            assert!(began.elapsed() < SHARE_OUT_MAX, "the newest process gets no segment");
            sleep(LEASE / 25).await;
            self.seen.append(&mut watched.readers().await);
        }
    }

    fn assert_worth_it(&self) {
        println!("{} of {KILLS} were killed at work", self.killed_at_work);
        assert!(self.killed_at_work > KILLS / 2, "this proves too little");
    }
}
