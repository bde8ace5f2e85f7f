use std::sync::Arc;

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::mpsc::{Receiver, Sender},
};

use super::{
    conditions::Conditions,
    fate::Fate,
    pending_rules::Recent,
    piece::{CHUNK_BYTES_MAX, Chunk, Cut, ToClient, ToServer},
    rule::{Rule, Then},
};

/// The side of a connection that faces the client: it looks for what rules wait for.
pub(super) struct ClientSide {
    pub(super) conditions: Arc<Conditions>,
    pub(super) fate: Arc<Fate>,
    pub(super) to_server: Sender<ToServer>,
    pub(super) from_server: Receiver<ToClient>,
    /// How often everything had been cut when the client came.
    pub(super) cuts: u64,
}

impl ClientSide {
    /// Serves the client until both directions have ended or it is cut.
    pub(super) async fn run(self, mut client: TcpStream) {
        let (conditions, cuts) = (Arc::clone(&self.conditions), self.cuts);
        let ended = tokio::select! {
            // a cut comes before whatever else is ready
            biased;
            () = conditions.cut_after(cuts) => Err(Cut),
            ended = self.both_ways(&mut client) => ended,
        };
        if ended.is_err() {
            // fails on a socket that is closed already
            let _ = client.set_zero_linger();
        }
    }

    async fn both_ways(self, client: &mut TcpStream) -> Result<(), Cut> {
        let (read, write) = client.split();
        let Self { conditions, fate, to_server, from_server, cuts } = self;
        let hears = hear(read, &conditions, &fate, to_server);
        tokio::try_join!(hears, send(write, &conditions, from_server, cuts)).map(drop)
    }
}

/// Takes `to_server` along: its end is how the server's side learns that the client has no more to say.
async fn hear(
    mut client: ReadHalf<'_>,
    conditions: &Conditions,
    fate: &Fate,
    to_server: Sender<ToServer>,
) -> Result<(), Cut> {
    let mut recent = Recent::default();
    loop {
        conditions.flowing().await;
        let mut bytes = BytesMut::with_capacity(CHUNK_BYTES_MAX);
        if client.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        let due = conditions.due();
        let matched = conditions.rules.take(&mut recent, &bytes);
        let chunk = Chunk { bytes: bytes.freeze(), due };
        match matched {
            None => to_server.send(ToServer::Chunk(chunk)).await?,
            Some((then, rule)) => obey(then, rule, chunk, fate, &to_server).await?,
        }
    }
}

async fn obey(
    then: Then,
    rule: Rule,
    chunk: Chunk,
    fate: &Fate,
    to_server: &Sender<ToServer>,
) -> Result<(), Cut> {
    fate.matched(&rule);
    match then {
        Then::CutBefore => {
            to_server.send(ToServer::Reset).await?;
            rule.fire();
            return Err(Cut);
        }
        Then::CutAfterSending => {
            fate.spare_server();
            to_server.send(ToServer::Chunk(chunk)).await?;
            rule.fire();
            return Err(Cut);
        }
        Then::CutAfterAnswer => to_server.send(ToServer::Unanswered(chunk, rule)).await?,
        Then::Hold => {
            to_server.send(ToServer::Hold(rule)).await?;
            to_server.send(ToServer::Chunk(chunk)).await?;
        }
    }
    Ok(())
}

async fn send(
    mut client: WriteHalf<'_>,
    conditions: &Conditions,
    mut from_server: Receiver<ToClient>,
    cuts: u64,
) -> Result<(), Cut> {
    while let Some(piece) = from_server.recv().await {
        let ToClient::Chunk(chunk) = piece else { return Err(Cut) };
        conditions.deliverable(chunk.due).await;
        client.write_all(&chunk.bytes).await?;
    }
    conditions.flowing().await;
    if conditions.is_cut_after(cuts) {
        return Err(Cut);
    }
    Ok(client.shutdown().await?)
}
