//! A process that consumes a durable subscription is killed over and over, while a bank writes: every event comes at least once,
//! those of an account in order, and what is saved is never ahead of an event that was not acknowledged.
//!
//! The process is this test binary, started again to play one part. It says what it gets, and what it is about to acknowledge,
//! a line each.

use super::{Ledger, settle_in_the_end, tellers::drive_by, watched::again_while_away};
use crate::{
    place::Place,
    program::Program,
    rivals::{more_answers, within},
    seed,
};
use actum::{
    Delivered, Engine, Subscription, SubscriptionError,
    progress::ProjectionId,
    store::{StoreError, Stores},
};
use bank::{
    cli::{self, Cli},
    client::Client,
    domain::Account,
    statements::Zone,
};
use clap::Parser;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::{Write, stdout},
    num::NonZeroU32,
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::{Instant, sleep, timeout},
};

/// How often it is killed.
const KILLS: usize = 20;
/// How long a consumer that was killed keeps the next one from the events.
const LEASE: Duration = Duration::from_millis(500);
/// How many send orders meanwhile.
const TELLERS: usize = 1;
/// The most lines it says before it is killed.
const LINES_MAX: usize = 200;
const SUBSCRIPTION: &str = "mails";
/// What the process is told: where the journal is, an argument a line.
const PART: &str = "ACTUM_TEST_CONSUMER";

#[tokio::test(flavor = "multi_thread")]
async fn consumer_that_is_killed_over_and_over_gets_every_event_in_order() {
    killed_over_and_over(&Place::file()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consumer_on_postgres_that_is_killed_over_and_over_gets_every_event_in_order() {
    let Some(place) = Place::postgres().map(Place::with_long_lease) else { return };
    killed_over_and_over(&place).await;
}

async fn killed_over_and_over(place: &Place) {
    let (mut random, ledger) = (seed::random(), Arc::new(Ledger::new()));
    let mut bank = Program::serve(place.args());
    let client = Client::new(within(bank.url()).await).unwrap();
    settle_in_the_end(&client, &ledger, &mut random).await;
    let mut seen = SeenEvents::default();

    let mut choices = random.fork();
    let killing = async {
        more_answers(&ledger, 20).await;
        for life in 0..KILLS {
            let mut consumer = Consumer::start(place);
            if choices.u32(..5) == 0 {
                // only scatters the kills: it may not even have begun
                sleep(2 * LEASE.mul_f64(choices.f64())).await;
            } else {
                for _ in 0..choices.usize(1..LINES_MAX) {
                    seen.take_in(&within(consumer.line()).await.expect("it goes on"));
                }
                // in the midst of a save, or behind it: otherwise it would not come far
                sleep(Duration::from_micros(choices.u64(..20_000))).await;
            }
            consumer.process.kill().await.unwrap();
            while let Some(line) = within(consumer.line()).await {
                seen.take_in(&line);
            }
            seen.check_saved(saved_to(place).await);
            seen.next_life();
            println!("life {life}: {} of {} acknowledged", seen.acked.len(), seen.got.len());
        }
        ledger.close();
    };
    let (undisturbed, ()) = tokio::join!(drive_by(TELLERS, &client, &ledger, &mut random), killing);
    assert!(undisturbed, "the bank answers every order");
    ledger.reopen();
    settle_in_the_end(&client, &ledger, &mut random).await;

    // no one kills this one
    let head = head(place).await;
    let mut consumer = Consumer::start(place);
    while (seen.acked.len() as u64) < head {
        seen.take_in(&within(consumer.line()).await.expect("it goes on"));
    }
    assert!(seen.acked.iter().copied().eq(1..=head), "every event came");
    let began = Instant::now();
    while saved_to(place).await < head {
        assert!(began.elapsed() < Duration::from_secs(30), "what is acknowledged is saved");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(seen.again > 0, "no event came twice: this proves too little");
    println!("{head} events, {} came again", seen.again);
    consumer.process.kill().await.unwrap();
    bank.signal("TERM").await;
    assert!(within(bank.ended()).await.success());
}

/// What all lives of the consumer have said.
#[derive(Default)]
struct SeenEvents {
    /// The positions that were delivered, and how often.
    got: BTreeMap<u64, u32>,
    /// The positions that were acknowledged, or would have been in the next moment.
    acked: BTreeSet<u64>,
    /// The last event of each account, in this life and ever.
    in_life: BTreeMap<String, u64>,
    ever: BTreeMap<String, u64>,
    /// How many came more than once.
    again: usize,
}

impl SeenEvents {
    fn take_in(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["got", position, account, nr] => {
                let (position, nr): (u64, u64) = (position.parse().unwrap(), nr.parse().unwrap());
                let times = self.got.entry(position).or_default();
                *times += 1;
                self.again += usize::from(*times == 2);
                // an older one comes again when its lease was lost meanwhile
                let ever = self.ever.entry(account.to_owned()).or_default();
                let before = self.in_life.insert(account.to_owned(), nr).unwrap_or(*ever);
                assert!(nr <= before + 1, "{account} has {nr} behind {before}");
                *ever = nr.max(*ever);
            }
            ["ack", position] => _ = self.acked.insert(position.parse().unwrap()),
            _ => {} // of the test harness
        }
    }

    fn next_life(&mut self) {
        self.in_life.clear();
    }

    /// Nothing up to what is saved was not acknowledged.
    fn check_saved(&self, saved: u64) {
        let missing = (1..=saved).find(|position| !self.acked.contains(position));
        assert_eq!(missing, None, "saved up to {saved}, and that was not acknowledged");
    }
}

/// How far the subscription has come, as that is saved.
async fn saved_to(place: &Place) -> u64 {
    let stores = place.stores().await;
    let id = format!("subscription:{SUBSCRIPTION}");
    let id = ProjectionId::new(&id, NonZeroU32::MIN).unwrap();
    let stored = again_while_away(async || stores.progress.load(&id).await).await;
    stores.close().await;
    stored.map_or(0, |stored| stored.read_to().positions()[0].get())
}

async fn head(place: &Place) -> u64 {
    let stores = place.stores().await;
    let heads = again_while_away(async || stores.events.heads().await).await;
    stores.close().await;
    heads.positions()[0].get()
}

/// A process that consumes.
struct Consumer {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Consumer {
    fn start(place: &Place) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["crash::consumer::plays_the_consumer", "--exact", "--nocapture"]);
        command.env(PART, place.database_args().join("\n")).kill_on_drop(true);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, output }
    }

    /// The next line it says; none if it is dead.
    async fn line(&mut self) -> Option<String> {
        self.output.next_line().await.unwrap()
    }
}

/// The part of the other process; nothing in this one.
#[tokio::test(flavor = "multi_thread")]
async fn plays_the_consumer() {
    let Ok(part) = env::var(PART) else { return };
    let cli = Cli::parse_from(["bank", "project"].into_iter().chain(part.lines()));
    let Some(cli::Command::Project(args)) = cli.command else { panic!("it is what was parsed") };
    let (stores, ..) = args.database.open(Zone::UTC).await.unwrap();
    consume(stores).await;
}

/// Consumes for ever, and acknowledges in any order.
async fn consume(stores: Stores) {
    let readers = Engine::builder("consumer").store(stores).start_readers().await.unwrap();
    let mails = || {
        let mails = Subscription::durable(SUBSCRIPTION).lease(LEASE).in_flight_max(20);
        mails.checkpoint(7, Duration::from_millis(20)).from::<Account, _>(|event| {
            Some((event.entity.id().to_owned(), event.sequence_nr.get()))
        })
    };
    let mut consumer = loop {
        match readers.subscribe(mails()).await {
            Ok(consumer) => break consumer,
            Err(SubscriptionError::Store(StoreError::Unavailable { .. })) => {}
            Err(error) => panic!("{error}"),
        }
    };
    let mut held: Vec<Delivered<(String, u64)>> = Vec::new();
    loop {
        let (next, idle) = (consumer.next(), Duration::from_millis(50));
        let keeps = match timeout(idle, next).await {
            Ok(delivered) => {
                let delivered = delivered.unwrap().expect("no one ends it");
                let (account, nr) = delivered.event();
                say(&format!("got {} {account} {nr}", delivered.position()));
                held.push(delivered);
                fastrand::usize(..15)
            }
            Err(_) => 0, // nothing comes: then everything is acknowledged
        };
        while held.len() > keeps {
            let delivered = held.swap_remove(fastrand::usize(..held.len()));
            say(&format!("ack {}", delivered.position()));
            // one that has lost its lease on a busy machine gets it again
            let _ = delivered.ack();
        }
    }
}

/// Says a line, which is with the other process when this returns.
fn say(line: &str) {
    let mut out = stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}
