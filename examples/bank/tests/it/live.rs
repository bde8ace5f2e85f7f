//! The page for the browser, in a browser: a real one, without a window.

use crate::{program::Program, service::Service};
use actum_test_servers::{Browser, available};
use bank::{
    client::{Action, Client, Order, Outcome},
    domain::Money,
};
use std::{net::SocketAddr, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

const LONG: Duration = Duration::from_secs(60);
/// As wide as a small phone.
const PHONE: (u32, u32) = (360, 640);

/// An address that stays, whatever port the bank behind it has at the moment.
struct Entrance {
    address: SocketAddr,
    bank: watch::Sender<Option<SocketAddr>>,
}

impl Entrance {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (bank, there) = watch::channel(None);
        tokio::spawn(async move {
            while let Ok((mut page, _)) = listener.accept().await {
                let there = there.clone();
                tokio::spawn(async move {
                    let bank: Option<SocketAddr> = *there.borrow();
                    let mut bank = TcpStream::connect(bank?).await.ok()?;
                    copy_bidirectional(&mut page, &mut bank).await.ok()
                });
            }
        });
        Self { address, bank }
    }

    /// Starts a bank behind it.
    async fn serve(&self, directory: &TempDir) -> Program {
        let mut bank = Program::start(&directory.path().join("bank.db"));
        let url = bank.url().await;
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        self.bank.send_replace(Some(address));
        bank
    }
}

async fn order(client: &Client, action: Action, key: &str) {
    let order = Order { account: "ada & <b>bob".to_owned(), action, key: key.to_owned() };
    let done = client.send(&order).await;
    assert!(matches!(done, Outcome::Applied(_)), "{done:?}");
}

async fn deposit(client: &Client, amount: u64) {
    let amount_of_money = Money::new(amount).unwrap();
    order(client, Action::Deposit(amount_of_money), &format!("deposit-{amount}")).await;
}

fn wait(browser: &mut Browser, condition: &str) {
    let is_so = browser.until(condition, LONG).unwrap();
    assert!(is_so, "{condition}: {}", browser.evaluate("document.body.innerText").unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn page_shows_transactions_as_they_happen_and_goes_on_after_the_bank_was_away() {
    let Some(program) = available(Browser::find()) else { return };
    let directory = TempDir::new().unwrap();
    let entrance = Entrance::open().await;
    let mut bank = entrance.serve(&directory).await;
    let url = format!("http://{}", entrance.address);
    let client = Client::new(&*url).unwrap();
    let mut browser = Browser::start(&program, PHONE).unwrap();
    browser.open(&format!("{url}/live")).unwrap();
    wait(&mut browser, "document.getElementById('connection')?.dataset.state === 'live'");
    wait(&mut browser, "document.querySelectorAll('#projections tr').length === 2");
    order(&client, Action::Open("Ada".to_owned()), "open").await;
    deposit(&client, 1).await;
    wait(&mut browser, "document.querySelectorAll('#transactions tr').length === 2");
    let first = browser.evaluate("document.querySelector('#transactions tr').innerText").unwrap();
    let shown = first.as_str().unwrap();
    // the name of an account is a text, never a part of the page
    assert!(shown.contains("ada & <b>bob"), "{shown}");
    assert!(shown.contains("deposited") && shown.contains('1'), "{shown}");
    wait(
        &mut browser,
        r"/^live, up to \d+ s behind$/.test(document.getElementById('connection').textContent)",
    );
    let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    assert_eq!(browser.evaluate(fits).unwrap(), true, "it is wider than a phone");

    bank.kill().await;
    wait(&mut browser, "document.getElementById('connection').dataset.state === 'lost'");
    bank = entrance.serve(&directory).await;
    for amount in 2..=20 {
        deposit(&client, amount).await;
    }
    wait(&mut browser, "document.querySelectorAll('#transactions tr').length === 21");
    let amounts =
        "[...document.querySelectorAll('#transactions .number')].map((it) => it.textContent)";
    let mut amounts: Vec<String> =
        serde_json::from_value(browser.evaluate(amounts).unwrap()).unwrap();
    amounts.reverse();
    let expected: Vec<_> =
        (0..=20).map(|nr| if nr == 0 { String::new() } else { nr.to_string() }).collect();
    assert_eq!(amounts, expected, "each once, and in order");
    wait(&mut browser, "document.getElementById('connection').dataset.state === 'live'");
    // JavaScript cannot hold it
    deposit(&client, 9_007_199_254_740_993).await;
    let amount = "document.querySelector('#transactions .number').textContent";
    wait(&mut browser, &format!("{amount} === '9007199254740993'"));
    bank.signal("TERM").await;
    assert!(bank.ended().await.success(), "a page that follows does not keep a bank from its end");
    wait(&mut browser, "document.getElementById('connection').textContent.includes('lost')");
}

#[tokio::test]
async fn page_loads_nothing_from_elsewhere_and_no_page_from_elsewhere_follows() {
    let service = Service::with_ada().await;
    for (path, content_type) in [
        ("/live", "text/html; charset=utf-8"),
        ("/live/page.js", "text/javascript; charset=utf-8"),
        ("/live/feed.js", "text/javascript; charset=utf-8"),
        ("/live/style.css", "text/css; charset=utf-8"),
    ] {
        let reply = service.get(path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(content_type)));
        let policy = reply.header("content-security-policy");
        assert_eq!(policy, Some("default-src 'self'; img-src data:"), "{path}");
    }
    let connecting = service.request("GET", "/live/events").header("origin", "http://evil.example");
    let connecting = connecting
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let answer = connecting.send().await.unwrap();
    assert_eq!(answer.status(), 403);
}
