use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{net::TcpListener, runtime::Builder, sync::oneshot};

use super::{
    conditions::Conditions,
    connection::{reset, serve},
    pending_rules::PATTERN_BYTES_MAX,
    rule::{Rule, Then},
};

/// How long to wait when the system has no room for another connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// A TCP proxy on 127.0.0.1 in front of a server, which is as bad a network as a test wants.
///
/// It runs on threads of its own, so a test's runtime may be busy or its time paused. What passes through is not
/// understood, only searched for the patterns of rules; so rules need a connection without TLS. Dropping the proxy ends
/// all connections.
///
/// # Examples
/// ```
/// # use actum_testkit::{TcpProxy, Then};
/// # async fn example(server: std::net::SocketAddr) {
/// let proxy = TcpProxy::start(server);
/// let commit = proxy.on(b"COMMIT", Then::CutAfterSending);
/// // … a client of `proxy.address()` commits, and never learns its outcome …
/// commit.fired().await;
/// commit.settled().await;
/// # }
/// ```
#[derive(Debug)]
pub struct TcpProxy {
    address: SocketAddr,
    conditions: Arc<Conditions>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TcpProxy {
    /// Starts a proxy in front of `target`, which is dialled for each client and need not be there yet.
    ///
    /// # Panics
    /// When the machine has no port or no thread left.
    #[must_use]
    pub fn start(target: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = listener.expect("127.0.0.1 has a free port");
        listener.set_nonblocking(true).expect("a new socket can be made non-blocking");
        let address = listener.local_addr().expect("a bound socket has an address");
        let conditions = Arc::new(Conditions::new());
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn({
            let conditions = Arc::clone(&conditions);
            move || run(listener, target, &conditions, stopped)
        });
        Self { address, conditions, stop: Some(stop), thread: Some(thread) }
    }

    /// Where clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts all connections there are: both sides see them reset, what is under way is lost. Only the server's side of a
    /// connection on which a rule fired other than [`Then::CutBefore`] goes on. Clients may connect again.
    pub fn cut(&self) {
        self.conditions.change(|weather| weather.cuts += 1);
    }

    /// Whether new clients are turned away: their connections are reset as soon as they are made. Those there are go on.
    pub fn refuse(&self, refuses: bool) {
        self.conditions.change(|weather| weather.refuses = refuses);
    }

    /// Whether the network is a black hole: nothing is read or delivered, nothing is closed, new connections go nowhere.
    /// When it ends everything goes on where it was.
    pub fn stall(&self, stalls: bool) {
        self.conditions.change(|weather| weather.stalls = stalls);
    }

    /// How long bytes travel in each direction, from now on. They queue up on the way as they do in a cable, so the
    /// rate is not limited, up to 16 MiB under way a direction.
    ///
    /// Fractions of a millisecond are possible. Measured on a machine with 2 cores, a round trip of one byte that takes 0.05
    /// to 0.15 ms through an idle proxy takes 0.58 to 0.75 ms with 0.25 ms each way, 2.1 to 2.2 ms with 1 ms, and 10.4 to
    /// 10.6 ms with 5 ms: what it costs to wake up comes on top. Under load expect later, never more than 0.09 ms earlier.
    pub fn delay(&self, one_way: Duration) {
        self.conditions.change(|weather| weather.delay = one_way);
    }

    /// Waits for `pattern` in what any client sends from now on, in one piece or across several, and does as `then` says,
    /// once. Of several rules that match at the same time the oldest fires.
    ///
    /// # Panics
    /// When the pattern is empty or longer than 256 bytes.
    pub fn on(&self, pattern: &[u8], then: Then) -> Rule {
        let length = pattern.len();
        assert!((1..=PATTERN_BYTES_MAX).contains(&length), "a pattern has 1 to 256 bytes");
        self.conditions.rules.add(pattern, then)
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // a panic of its was printed when it happened
            let _ = thread.join();
        }
    }
}

/// Serves until the other end of `stopped` is dropped; every task ends with the runtime.
fn run(
    listener: std::net::TcpListener,
    target: SocketAddr,
    conditions: &Arc<Conditions>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build();
    runtime.expect("the system lets a runtime wait for sockets").block_on(async {
        let listener = TcpListener::from_std(listener).expect("the listener is non-blocking");
        tokio::select! {
            // the end comes before another client
            biased;
            _ = stopped => {}
            () = accept(&listener, target, conditions) => {}
        }
    });
}

async fn accept(listener: &TcpListener, target: SocketAddr, conditions: &Arc<Conditions>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let weather = conditions.now();
        if weather.refuses {
            reset(client);
        } else {
            tokio::spawn(serve(client, target, Arc::clone(conditions), weather.cuts));
        }
    }
}
