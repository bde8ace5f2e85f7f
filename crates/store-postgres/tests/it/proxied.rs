use crate::fixture::PostgresFixture;
use actum_store_postgres::{PostgresSettings, PostgresStore};
use actum_testkit::TcpProxy;
use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgSslMode},
};
use std::{
    net::{SocketAddr, ToSocketAddrs},
    str::FromStr,
};

/// The server of a journal behind a network that can be made to fail.
pub(crate) struct Proxied {
    pub(crate) proxy: TcpProxy,
    pub(crate) url: String,
}

impl Proxied {
    /// Puts a proxy in front of the server at `url`.
    pub(crate) fn start(url: &str) -> Self {
        let options = PgConnectOptions::from_str(url).unwrap();
        let proxy = TcpProxy::start(address_of(&options));
        // rules read what passes
        let options = options.host("127.0.0.1").port(proxy.address().port());
        let url = options.ssl_mode(PgSslMode::Disable).to_url_lossy().to_string();
        Self { proxy, url }
    }

    /// Opens `journal` through the proxy.
    pub(crate) async fn open(journal: &PostgresFixture) -> (Self, PostgresStore) {
        let proxied = Self::start(journal.url());
        let store = proxied.store(journal.settings()).await;
        (proxied, store)
    }

    /// Opens a journal through the proxy.
    pub(crate) async fn store(&self, settings: PostgresSettings) -> PostgresStore {
        PostgresStore::connect_with(&self.url, settings).await.unwrap()
    }
}

fn address_of(options: &PgConnectOptions) -> SocketAddr {
    let socket = options.get_socket();
    assert!(socket.is_none(), "a proxy needs a server that listens to TCP, not {socket:?}");
    let addresses = (options.get_host(), options.get_port()).to_socket_addrs();
    addresses.unwrap().find(SocketAddr::is_ipv4).unwrap()
}
