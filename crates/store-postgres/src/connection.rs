//! How a connection is made, and which settings it gets first.

use crate::{
    PostgresSettings,
    session::{Held, Session},
    texts::Text,
};
use actum_model::LaneCount;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, postgres::PgConnectOptions,
};
use std::{fmt, io, sync::Arc, time::Duration};
use tokio::time::timeout;

/// Confirmed means durable, whatever the defaults of the database are: a claim or a revocation that a crash undoes
/// leaves two who may write.
const DURABLY: &str = "SELECT set_config('synchronous_commit', 'on', TRUE)
    WHERE current_setting('synchronous_commit') = 'off'";

/// Where connections come from.
#[derive(Clone)]
pub(crate) enum Source {
    /// They are made.
    Options(Box<PgConnectOptions>),
    /// They are taken from a pool that the caller has brought.
    Pool(PgPool),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // options show their password
        f.write_str(match self {
            Self::Options(_) => "Options(..)",
            Self::Pool(_) => "Pool(..)",
        })
    }
}

/// Makes connections as the settings say.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    /// As the caller has brought it.
    origin: Source,
    source: Source,
    pub(crate) settings: PostgresSettings,
    /// Begins a transaction; made once, since behind a proxy every call is one.
    begin: Arc<str>,
    begin_reading: Arc<str>,
}

impl Connector {
    pub(crate) fn new(origin: Source, settings: PostgresSettings) -> Self {
        Self::of(origin, settings, session_settings)
    }

    /// Makes connections for statements of others: how these are planned, and how long they may take, is left as it is.
    pub(crate) fn for_others(origin: Source, settings: PostgresSettings) -> Self {
        Self::of(origin, settings, |_| network_settings())
    }

    fn of(
        origin: Source,
        settings: PostgresSettings,
        lasting: impl Fn(&PostgresSettings) -> Vec<(&'static str, String)>,
    ) -> Self {
        let source = match origin.clone() {
            Source::Options(options) => {
                let lasting = lasting(&settings);
                Source::Options(Box::new(with_settings(*options, &settings, lasting)))
            }
            pool @ Source::Pool(_) => pool,
        };
        let local = set_all("SET LOCAL", &settings);
        let begin = format!("BEGIN ISOLATION LEVEL READ COMMITTED; {local}; {DURABLY}").into();
        let begin_reading = format!("BEGIN READ ONLY; {local}").into();
        Self { origin, source, settings, begin, begin_reading }
    }

    /// Where its connections come from, as the caller has brought it.
    pub(crate) fn origin(&self) -> &Source {
        &self.origin
    }

    /// Makes a connection, or takes one, within the time allowed.
    pub(crate) async fn connect(&self) -> Result<Session, sqlx::Error> {
        let connecting = async {
            Ok::<_, sqlx::Error>(match &self.source {
                Source::Options(options) => {
                    Held::Own(Box::new(PgConnection::connect_with(options).await?))
                }
                Source::Pool(pool) => Held::Pooled(pool.acquire().await?),
            })
        };
        let patience = self.settings.connect_timeout;
        let held = timeout(patience, connecting).await.map_err(|_| {
            let what = format!("no connection within {patience:?}");
            sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, what))
        })??;
        let prepares = !self.settings.transaction_pooling;
        Ok(Session::new(held, self.settings.answer_timeout, prepares))
    }

    /// Sets up a connection that is kept: one of a pool gets the settings that others get when they are made, and
    /// closed in the end instead of given back.
    pub(crate) async fn set_up(&self, session: &mut Session) -> Result<(), sqlx::Error> {
        if session.is_pooled() && !self.settings.transaction_pooling {
            session.close_on_drop();
            session.batch(AssertSqlSafe(set_all("SET SESSION", &self.settings).into())).await?;
        }
        Ok(())
    }

    /// What is wrong with a pool whose connections the lanes would use up.
    pub(crate) fn pool_problem(&self, lanes: LaneCount) -> Option<String> {
        let Source::Pool(pool) = &self.source else { return None };
        let (has, needs) = (pool.options().get_max_connections(), u32::from(lanes.get()) + 1);
        (has < needs).then(|| {
            format!(
                "`max_connections` of the pool is {has}, it must be at least {needs}, one more than the journal has lanes"
            )
        })
    }

    /// Begins a transaction that carries its timeouts with it, and is durable when it is confirmed. Whether it may
    /// write is for the server to say.
    pub(crate) fn begin(&self) -> Text {
        AssertSqlSafe(Arc::clone(&self.begin))
    }

    /// Does what changes nothing; in a transaction behind a proxy, where a statement goes to the server in two parts
    /// and what comes second must not meet what another client has sent first, and on a connection that goes back to a
    /// pool, which has neither the time-outs nor the planner's settings that others get when they are made.
    pub(crate) async fn read<T>(
        &self,
        session: &mut Session,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        if !self.settings.transaction_pooling && !session.goes_back() {
            return work(session).await;
        }
        session.begin(AssertSqlSafe(Arc::clone(&self.begin_reading))).await?;
        let done = work(session).await;
        if session.is_usable() {
            session.rollback().await; // nothing was written
        }
        done
    }
}

/// Statements that give a connection all its settings; names are ours, and values numbers or ours.
fn set_all(set: &str, settings: &PostgresSettings) -> String {
    let settings = session_settings(settings);
    let texts = settings.iter().map(|(name, value)| format!("{set} {name} = '{value}'"));
    texts.collect::<Vec<_>>().join("; ")
}

/// The settings a connection gets when it is made.
fn with_settings(
    options: PgConnectOptions,
    settings: &PostgresSettings,
    lasting: Vec<(&'static str, String)>,
) -> PgConnectOptions {
    // a statement is logged by who runs it, if at all
    let options = options.disable_statement_logging();
    if settings.transaction_pooling {
        // a proxy may refuse settings it does not know; there are no floating-point numbers in a journal
        return options.extra_float_digits(None).statement_cache_capacity(0);
    }
    let options = match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("actum"),
    };
    options.options(lasting)
}

/// A client that is gone without a word is noticed; only where there is a network between.
fn network_settings() -> Vec<(&'static str, String)> {
    let settings = [
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "25000"),
    ];
    settings.map(|(name, value)| (name, value.to_owned())).into()
}

fn session_settings(settings: &PostgresSettings) -> Vec<(&'static str, String)> {
    let millis = |time: Duration| time.as_millis().to_string();
    let own = [
        ("statement_timeout", millis(settings.statement_timeout)),
        ("lock_timeout", millis(settings.lock_timeout)),
        // no one waits longer for what comes next
        ("idle_in_transaction_session_timeout", millis(settings.answer_timeout)),
        ("default_transaction_isolation", "read committed".to_owned()),
        // a plan that is made while a table is nearly empty reads all of it, and is kept while the table grows
        ("enable_seqscan", "off".to_owned()),
        // by that setting a table of one row seems to cost so much that each statement over it is compiled, in 10 ms and more
        ("jit", "off".to_owned()),
        ("enable_bitmapscan", "off".to_owned()), // it reads all that is behind a page, and sorts it
        ("enable_hashjoin", "off".to_owned()),
        ("enable_mergejoin", "off".to_owned()),
        ("plan_cache_mode", "force_generic_plan".to_owned()), // the same for all, so it is made once
    ];
    own.into_iter().chain(network_settings()).collect()
}
