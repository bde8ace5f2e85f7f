use crate::{Bank, Server, cli::DEFAULT_ADDRESS, client::Client};
use actum::SqliteStore;
use anyhow::{Context, Result, ensure};
use std::io::Write;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// The bank that is driven: one that runs already, or one of our own for as long as it takes.
pub(super) struct Target {
    client: Client,
    own: Option<(Server, TempDir)>,
}

impl Target {
    /// Finds the bank at `url`. Without a `url` it is the one at the default address, or else a new one in this process.
    pub(super) async fn find(url: Option<&str>, out: &mut impl Write) -> Result<Self> {
        let default = format!("http://{DEFAULT_ADDRESS}");
        let client = Client::new(url.unwrap_or(&default))?;
        if client.finds_bank().await? {
            writeln!(out, "driving the bank at {}", client.url())?;
            return Ok(Self { client, own: None });
        }
        ensure!(url.is_none(), "nothing listens at {}", client.url());
        let directory = TempDir::with_prefix("bank-load-")?;
        let database = directory.path().join("bank.db");
        let server = start(&database).await.context("cannot start a bank")?;
        let url = format!("http://{}", server.address());
        writeln!(
            out,
            "nothing listens at {}: driving a bank of its own at {url}, which keeps {} until the end",
            client.url(),
            database.display()
        )?;
        Ok(Self { client: Client::new(url)?, own: Some((server, directory)) })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Stops the bank if it is our own, and deletes what it kept.
    pub(super) async fn leave(self) {
        if let Some((server, _directory)) = self.own {
            let report = server.stop().await;
            if !report.is_clean() {
                tracing::warn!(?report, "the bank could not finish everything");
            }
        }
    }
}

async fn start(database: &std::path::Path) -> Result<Server> {
    let bank = Bank::start(SqliteStore::open(database).await?).await?;
    Ok(Server::start(bank, TcpListener::bind("127.0.0.1:0").await?)?)
}
