//! The subject: commands to entities that another node of the cluster owns.

use super::{
    NODE, SECURE_NODE, bare_tcp, grpc, name,
    other_process::{OtherProcess, serve_until_done},
    plain_calls,
};
use crate::{
    account::{Account, Balance, account_id},
    bank::Accounts,
    case::Case,
    drive::{drive, two_workers},
    name::Name,
    subjects::{commands::Deposits, queries::Balances},
};
use actum::{
    Engine, SqliteStore,
    cluster::{Cluster, ClusterSecret, ClusterView, LinkSecurity, TlsFiles},
    settings::RuntimeSettings,
};
use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::{fs, path::Path, time::Duration};
use tempfile::tempdir_in;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remote {
    /// It persists nothing.
    Query,
    /// It persists an event, in a file.
    Command,
}

/// How the nodes are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    Plain,
    /// By mutual TLS and a secret.
    Secured,
}

const ENTITIES: u32 = 10_000;

pub(super) fn case(remote: Remote, links: Links, callers: u32) -> Case {
    let case = Case::new(row(remote, links, callers), move |bench, _| {
        let runtime = two_workers()?;
        let place = tempdir_in(&bench.site.directory)?;
        write_certificates(place.path())?;
        let what = if links == Links::Plain { NODE } else { SECURE_NODE };
        let other = OtherProcess::start(what, place.path())?;
        let engine = runtime.block_on(join(place.path(), links))?;
        let accounts = runtime.block_on(awake(&engine))?;
        let measured = match remote {
            Remote::Query => drive(&runtime, callers, bench.window, &Balances(accounts)),
            Remote::Command => drive(&runtime, callers, bench.window, &Deposits(accounts)),
        };
        let _report = runtime.block_on(engine.shutdown()); // what is left ends with the processes
        drop(other);
        measured
    });
    let many = callers > 1;
    match (remote, links) {
        (Remote::Query, Links::Plain) => case
            .beside(plain_calls::row(callers), Some(if many { 5.0 } else { 1.0 / 1.5 }))
            .beside(grpc::row(callers), many.then_some(10.0))
            .beside(bare_tcp::row(callers), None),
        (Remote::Query, Links::Secured) => {
            case.beside(row(Remote::Query, Links::Plain, callers), many.then_some(0.8))
        }
        (Remote::Command, _) => case.beside(bare_tcp::row(callers), None),
    }
}

fn row(remote: Remote, links: Links, callers: u32) -> Name {
    let what = match (remote, links) {
        (Remote::Query, Links::Plain) => "remote query",
        (Remote::Query, Links::Secured) => "remote query, TLS",
        (Remote::Command, Links::Plain) => "remote persist",
        (Remote::Command, Links::Secured) => "remote persist, TLS",
    };
    name(what, callers)
}

/// Owns all partitions.
pub(super) async fn serve(place: &Path, links: Links) -> Result<()> {
    let engine = start(place, "far", links, |cluster| cluster).await?;
    let node = engine.cluster().context("it is a node")?;
    node.sees(ClusterView::is_complete).await;
    serve_until_done("ready").await?;
    let _report = engine.shutdown().await;
    Ok(())
}

async fn join(place: &Path, links: Links) -> Result<Engine> {
    start(place, "near", links, Cluster::routes_only).await
}

async fn start(
    place: &Path,
    node: &str,
    links: Links,
    set: impl FnOnce(Cluster) -> Cluster,
) -> Result<Engine> {
    let store = SqliteStore::open(place.join("journal.db")).await?;
    let cluster = Cluster::listen("127.0.0.1:0").node(node).lease(Duration::from_secs(30));
    let cluster = match links {
        Links::Plain => cluster,
        Links::Secured => {
            let [certificate, key, authority] = FILES.map(|file| place.join(file));
            let files = TlsFiles::new(certificate, key, authority);
            cluster.security(LinkSecurity::tls(files, ClusterSecret::new([7; 32])))
        }
    };
    let settings = RuntimeSettings::default()
        .with_entities_max(2_000_000)
        .with_ask_timeout(Duration::from_secs(60));
    let engine = Engine::builder("bench").store(store).entity::<Account>(()).settings(settings);
    Ok(engine.cluster(set(cluster)).start().await?)
}

/// All accounts, in the memory of the other node.
async fn awake(engine: &Engine) -> Result<Accounts> {
    let accounts: Accounts =
        (0..ENTITIES).map(|nr| engine.entity::<Account>(account_id(nr))).collect();
    for some in accounts.chunks(1_000) {
        let asked = some.iter().map(|account| account.ask(Balance));
        futures_util::future::try_join_all(asked.map(IntoFuture::into_future)).await?;
    }
    Ok(accounts)
}

const FILES: [&str; 3] = ["node.pem", "node.key", "authority.pem"];

fn write_certificates(place: &Path) -> Result<()> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate()?;
    let authority_pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let certificate =
        CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &issuer)?;
    let texts = [certificate.pem(), key.serialize_pem(), authority_pem];
    for (file, text) in FILES.iter().zip(texts) {
        fs::write(place.join(file), text)?;
    }
    Ok(())
}
