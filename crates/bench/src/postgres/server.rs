use super::sync_delay::SyncDelay;
use crate::{arguments::Arguments, machine};
use actum_test_servers::{
    PostgresBinaries, PostgresServer, PostgresServerSettings, servers_required,
};
use actum_testkit::TcpProxy;
use anyhow::{Context, Result, bail, ensure};
use sqlx::{
    ConnectOptions, Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use std::{fmt, net::ToSocketAddrs, str::FromStr};

/// A server, and the way to it.
///
/// Everything that is measured goes the same way: engine, raw statements and naive service.
pub(crate) struct Server {
    /// Straight to it: for what is not measured.
    pub(super) admin: PgConnectOptions,
    /// As far away as is asked for.
    pub(super) clients: PgConnectOptions,
    /// As the server counts: 150003 is 15.3.
    pub(super) version: u32,
    /// What the heading says.
    about: String,
    // in this order: clients are cut off, the server ends, then the library goes that it was started with
    _proxy: Option<TcpProxy>,
    _private: Option<PostgresServer>,
    _sync_delay: Option<SyncDelay>,
}

impl Server {
    /// The server that was given, or a private one; `None` when there is nothing to start one with, and then it says so.
    pub(crate) fn start(arguments: &Arguments) -> Result<Option<Self>> {
        if let Some(url) = &arguments.postgres_url {
            ensure!(
                arguments.fsync_delay.is_zero(),
                "only a private server can be made to sync slowly"
            );
            let options = PgConnectOptions::from_str(url).context("--postgres-url")?;
            return Self::reached(options, arguments, None, None).map(Some);
        }
        let binaries = match PostgresBinaries::find() {
            Ok(binaries) => binaries,
            Err(error) if servers_required() => return Err(error.into()),
            Err(error) => {
                eprintln!("SKIPPED: all rows of PostgreSQL: {error}");
                return Ok(None);
            }
        };
        let delay = arguments.fsync_delay;
        let slow = (!delay.is_zero()).then(|| SyncDelay::build(&arguments.directory, delay));
        let slow = slow.transpose()?;
        let mut settings = PostgresServerSettings::default()
            .with_fsync(true)
            .with_conf("synchronous_commit", "on");
        for (name, value) in slow.iter().flat_map(SyncDelay::env) {
            settings = settings.with_env(name, value);
        }
        let private = PostgresServer::start(&binaries, settings)?;
        let options = PgConnectOptions::from_str(&private.url("postgres"))?;
        // there is none to negotiate about
        let options = options.ssl_mode(PgSslMode::Disable);
        Self::reached(options, arguments, Some(private), slow).map(Some)
    }

    fn reached(
        admin: PgConnectOptions,
        arguments: &Arguments,
        private: Option<PostgresServer>,
        sync_delay: Option<SyncDelay>,
    ) -> Result<Self> {
        let admin = admin.disable_statement_logging();
        let rtt = arguments.rtt;
        let proxy = (!rtt.is_zero()).then(|| proxy(&admin)).transpose()?;
        let clients = match &proxy {
            None => admin.clone(),
            Some(proxy) => {
                proxy.delay(rtt / 2);
                let address = proxy.address();
                admin.clone().host(&address.ip().to_string()).port(address.port())
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (version, said) = runtime.block_on(async { look(&admin).await })?;
        let place = match &private {
            Some(private) => machine::file_system(&private.data_dir()),
            None => Some("a server that was given".to_owned()),
        };
        let place = place.unwrap_or_else(|| "an unknown file system".to_owned());
        let delay = arguments.fsync_delay;
        let about = format!("{said} on {place}, syncs {delay:?} and round trips {rtt:?} longer");
        let (_proxy, _private, _sync_delay) = (proxy, private, sync_delay);
        Ok(Self { admin, clients, version, about, _proxy, _private, _sync_delay })
    }
}

fn proxy(options: &PgConnectOptions) -> Result<TcpProxy> {
    if options.get_socket().is_some() {
        bail!("longer round trips need a server that is reached over TCP");
    }
    let mut addresses = (options.get_host(), options.get_port()).to_socket_addrs()?;
    let address = addresses.next().context("the server of --postgres-url has no address")?;
    Ok(TcpProxy::start(address))
}

/// The version, and the settings that durability depends on.
async fn look(admin: &PgConnectOptions) -> Result<(u32, String)> {
    let mut connection =
        PgConnection::connect_with(admin).await.context("connecting with PostgreSQL")?;
    let query = "SELECT current_setting('server_version_num')::integer, 'PostgreSQL '
        || current_setting('server_version') || ' with fsync=' || current_setting('fsync') || ', synchronous_commit='
        || current_setting('synchronous_commit')";
    let (version, said): (i32, String) = sqlx::query_as(query).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok((version.try_into()?, said))
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.about)
    }
}
