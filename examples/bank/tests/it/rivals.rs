//! Two banks on one PostgreSQL database: one of them writes, the other is refused; and a database that goes away.

use crate::{
    crash::{Journal, Ledger, drive, settle_all, settle_in_the_end},
    place::{LONG_LEASE, Place, own_server},
    program::{self, Program},
    seed,
};
use actum_test_servers::{PostgresServer, PostgresServerSettings, ServerError, StopMode};
use bank::{
    client::{Action, Client, Order, Outcome},
    domain::Standing,
};
use std::{fs, process::Output, sync::Arc, time::Duration};
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::spawn_blocking,
    time::{Instant, sleep, timeout},
};

/// How long anything may take that must not take for ever.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("no one waits for ever")
}

/// Waits until the ledger has so many more answers.
pub(crate) async fn more_answers(ledger: &Ledger, count: usize) {
    let mut answers = ledger.answers();
    let target = *answers.borrow() + count;
    within(answers.wait_for(|given| *given >= target)).await.unwrap();
}

/// Drives a bank through everything that happens to it and its database, until the ledger is closed.
pub(crate) async fn keep_driving(
    client: &Client,
    ledger: &Arc<Ledger>,
    random: &mut fastrand::Rng,
) {
    while !ledger.is_closed() {
        if settle_all(client, ledger, random).await {
            drive(client, ledger, random).await;
        }
        sleep(Duration::from_millis(10)).await; // as a client does that was asked to come back
    }
}

/// Sends new orders until the ledger is closed, whatever becomes of them: on a busy machine a bank may not renew its lease
/// in time, and answers nothing until it has.
async fn begin_new(client: &Client, ledger: &Arc<Ledger>, random: &mut fastrand::Rng) {
    while !drive(client, ledger, random).await && !ledger.is_closed() {
        sleep(Duration::from_millis(10)).await; // as a client does that was asked to come back
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn second_bank_on_a_database_learns_who_holds_it_and_disturbs_no_one() {
    let Some(place) = Place::postgres().map(Place::with_long_lease) else { return };
    let (mut random, ledger) = (seed::random(), Arc::new(Ledger::new()));
    let mut first = Program::serve(place.args());
    let client = Client::new(within(first.url()).await).unwrap();
    settle_in_the_end(&client, &ledger, &mut random).await;

    let refused = async {
        more_answers(&ledger, 10).await;
        for _ in 0..3 {
            let args = ["serve", "--listen", "127.0.0.1:0"].map(str::to_owned).into_iter();
            let since = Instant::now();
            let Output { status, stdout, stderr } =
                within(program::run(args.chain(place.args()))).await;
            assert!(
                since.elapsed() < LONG_LEASE + Duration::from_secs(10),
                "{:?}",
                since.elapsed()
            );
            let said = String::from_utf8(stderr).unwrap();
            assert_eq!(status.code(), Some(1), "{said}");
            assert_eq!(stdout, b"", "it does not say that it listens");
            let holder = "another engine writes to this journal: the writer slot `journal` is held by \
                 engine `bank`";
            let process = format!(", process {}, started 20", first.id());
            assert!(said.starts_with("bank: cannot use postgres://"), "{said}");
            assert!(said.contains(holder) && said.contains(&process), "{said}");
            assert!(said.contains("whose lease ends in ") && said.lines().count() == 1, "{said}");
            more_answers(&ledger, 10).await;
        }
        ledger.close();
    };
    let (undisturbed, ()) = tokio::join!(drive(&client, &ledger, &mut random), refused);
    assert!(undisturbed, "the first bank answers every order");
    first.signal("TERM").await;
    assert!(within(first.ended()).await.success());
    ledger.assert_settled();
    ledger.audit(&Journal::read(&place).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn bank_that_was_stopped_and_replaced_says_so_and_ends_and_nothing_is_lost_or_done_twice() {
    let Some(place) = Place::postgres() else { return };
    let (mut random, ledger) = (seed::random(), Arc::new(Ledger::new()));
    for _ in 0..3 {
        replaced(&place, &ledger, &mut random).await;
    }
    println!("{}", ledger.summary());
}

/// A bank is stopped under load for longer than its lease; another takes over, and then the first goes on.
async fn replaced(place: &Place, ledger: &Arc<Ledger>, random: &mut fastrand::Rng) {
    let complaints = NamedTempFile::new().unwrap();
    let mut first = Program::complaining(place.args(), complaints.reopen().unwrap());
    let client_of_first = Client::new(within(first.url()).await).unwrap();
    settle_in_the_end(&client_of_first, ledger, random).await;

    let mut others = random.fork();
    let replacing = async {
        more_answers(ledger, 20 + others.usize(..100)).await;
        first.signal("STOP").await;
        let mut second = Program::serve(place.args());
        let client = Client::new(within(second.url()).await).unwrap();
        // only new orders: those that the first has not answered are in its hands still
        let going_on = async {
            more_answers(ledger, 50).await;
            let looks = Looks::begin(client_of_first.url(), &client, &ledger.accounts()).await;
            first.signal("CONT").await;
            looks.end().await;
            let status = within(first.ended()).await;
            ledger.close();
            status
        };
        let ((), status) = tokio::join!(begin_new(&client, ledger, &mut others), going_on);
        assert_eq!(status.code(), Some(1));
        (second, client)
    };
    let of_first = begin_new(&client_of_first, ledger, random);
    let ((), (second, client)) = tokio::join!(of_first, replacing);
    ledger.reopen();
    let said = fs::read_to_string(complaints.path()).unwrap();
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("bank: another bank has taken over postgres://"), "{said}");

    // whatever the first has answered in its last moments is stored
    ledger.audit(&Journal::read(place).await);
    settle_in_the_end(&client, ledger, random).await;
    ledger.assert_settled();
    let shown = Journal::as_shown(&client, &ledger.accounts()).await;
    second.signal("TERM").await;
    assert!(within(second.ended()).await.success());
    let journal = Journal::read(place).await;
    assert_eq!(shown, journal.accounts);
    ledger.audit(&journal);
}

/// Requests to look at accounts that wait in the sockets of a stopped bank, while another has changed the accounts.
struct Looks(Vec<(TcpStream, u64)>);

impl Looks {
    const OF_EACH: usize = 20;

    async fn begin(stopped: &str, serving: &Client, accounts: &[String]) -> Self {
        let address = stopped.trim_start_matches("http://");
        let mut looks = Vec::new();
        for account in accounts {
            let acknowledged = serving.standing(account).await.unwrap().revision;
            for _ in 0..Self::OF_EACH {
                let mut connection = TcpStream::connect(address).await.unwrap();
                let request = format!(
                    "GET /accounts/{account} HTTP/1.1\r\nhost: bank\r\nconnection: close\r\n\r\n"
                );
                connection.write_all(request.as_bytes()).await.unwrap();
                looks.push((connection, acknowledged));
            }
        }
        Self(looks)
    }

    /// No answer shows less than what the other bank had acknowledged before it was asked for.
    async fn end(self) {
        for (mut connection, acknowledged) in self.0 {
            let mut answer = String::new();
            // a bank that ends need not answer
            let read = within(connection.read_to_string(&mut answer)).await;
            if read.is_err() || !answer.starts_with("HTTP/1.1 200 ") {
                continue;
            }
            let (_, body) = answer.split_once("\r\n\r\n").unwrap();
            let shown: Standing = serde_json::from_str(body).unwrap();
            assert!(shown.revision >= acknowledged, "{acknowledged} was acknowledged: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bank_goes_on_without_a_restart_of_its_own_when_its_database_restarts() {
    let Some(mut server) = own_server(PostgresServerSettings::default()) else { return };
    let place = Place::on(&server.url("postgres"));
    let (mut random, ledger) = (seed::random(), Arc::new(Ledger::new()));
    let mut bank = Program::serve(place.args());
    let client = Client::new(within(bank.url()).await).unwrap();
    settle_in_the_end(&client, &ledger, &mut random).await;

    let restarting = async {
        for round in 0..5 {
            more_answers(&ledger, 500).await;
            server = blocking(server, |server| server.stop(StopMode::Immediate)).await;
            assert_away(&client, round == 0).await;
            server = blocking(server, PostgresServer::start_again).await;
        }
        more_answers(&ledger, 100).await;
        ledger.close();
        server
    };
    let driving = keep_driving(&client, &ledger, &mut random);
    let ((), _server) = tokio::join!(driving, restarting);
    settle_in_the_end(&client, &ledger, &mut random).await;
    assert!(bank.is_alive());
    ledger.assert_settled();
    let shown = Journal::as_shown(&client, &ledger.accounts()).await;
    let journal = Journal::read(&place).await;
    assert_eq!(shown, journal.accounts);
    ledger.audit(&journal);
    println!("{}", ledger.summary());
    bank.signal("TERM").await;
    assert!(within(bank.ended()).await.success());
}

/// Does something with a server that takes its time.
async fn blocking(
    mut server: PostgresServer,
    what: impl FnOnce(&mut PostgresServer) -> Result<(), ServerError> + Send + 'static,
) -> PostgresServer {
    let done = spawn_blocking(move || {
        what(&mut server).unwrap();
        server
    });
    done.await.unwrap()
}

/// Commands fail fast and say why; where it is a long outage, until the lease of the bank has run out, and beyond.
async fn assert_away(client: &Client, long: bool) {
    let order = Order {
        account: "nobody".to_owned(),
        action: Action::Open("Nobody".to_owned()),
        key: "outage".to_owned(),
    };
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    loop {
        let sent = Instant::now();
        let said = match client.send(&order).await {
            Outcome::Unsure(said) => said,
            other => panic!("the journal is away, and the answer is {other:?}"),
        };
        slowest = slowest.max(sent.elapsed());
        if !long || said.contains("the writer lease could not be renewed in time") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{said}");
        sleep(Duration::from_millis(10)).await;
    }
    println!("in an outage of {:?} commands failed within {slowest:?}", begun.elapsed());
    assert!(slowest < Duration::from_secs(6), "the deadline of a command is 5 s");
}
