use std::sync::Arc;

use bytes::BytesMut;
use parking_lot::Mutex;
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
    piece::{CHUNK_BYTES_MAX, Chunk, Cut, ToClient, ToServer},
    rule::Rule,
};

/// The side of a connection that faces the server: it may outlive the client's.
pub(super) struct ServerSide {
    pub(super) conditions: Arc<Conditions>,
    pub(super) fate: Arc<Fate>,
    pub(super) to_client: Sender<ToClient>,
    pub(super) from_client: Receiver<ToServer>,
    /// How often everything had been cut when the client came.
    pub(super) cuts: u64,
}

impl ServerSide {
    /// Serves the server until both directions have ended or it is cut.
    pub(super) async fn run(self, mut server: TcpStream) {
        let (conditions, fate) = (Arc::clone(&self.conditions), Arc::clone(&self.fate));
        let cuts = self.cuts;
        let ended = tokio::select! {
            // a cut comes before whatever else is ready
            biased;
            () = cut_unless_spared(&conditions, &fate, cuts) => Err(Cut),
            ended = self.both_ways(&mut server) => ended,
        };
        if ended.is_err() {
            // fails on a socket that is closed already
            let _ = server.set_zero_linger();
        }
        drop(server);
        fate.settle();
    }

    async fn both_ways(self, server: &mut TcpStream) -> Result<(), Cut> {
        let (read, write) = server.split();
        let Self { conditions, fate, to_client, from_client, cuts } = self;
        let unanswered = Mutex::new(None);
        let sends = async {
            let mut write = write;
            send(&mut write, &conditions, &fate, from_client, &unanswered).await?;
            conditions.flowing().await;
            if conditions.is_cut_after(cuts) && !fate.is_server_spared() {
                return Err(Cut);
            }
            Ok(write.shutdown().await?)
        };
        let hears = hear(read, &conditions, &fate, to_client, &unanswered);
        tokio::try_join!(sends, hears).map(drop)
    }
}

async fn cut_unless_spared(conditions: &Conditions, fate: &Fate, mut cuts: u64) {
    loop {
        conditions.cut_after(cuts).await;
        if !fate.is_server_spared() {
            return;
        }
        cuts = conditions.now().cuts;
    }
}

/// Delivers all that the client says.
async fn send(
    server: &mut WriteHalf<'_>,
    conditions: &Conditions,
    fate: &Fate,
    mut from_client: Receiver<ToServer>,
    unanswered: &Mutex<Option<Rule>>,
) -> Result<(), Cut> {
    while let Some(piece) = from_client.recv().await {
        match piece {
            ToServer::Chunk(chunk) => deliver(server, conditions, chunk).await?,
            ToServer::Unanswered(chunk, rule) => {
                deliver(server, conditions, chunk).await?;
                // before the task lets go, so before anything the server answers to it is read
                *unanswered.lock() = Some(rule);
            }
            ToServer::Hold(rule) => {
                fate.spare_server();
                rule.fire();
                rule.released().await;
            }
            ToServer::Reset => return Err(Cut),
        }
    }
    Ok(())
}

async fn deliver(
    server: &mut WriteHalf<'_>,
    conditions: &Conditions,
    chunk: Chunk,
) -> Result<(), Cut> {
    conditions.deliverable(chunk.due).await;
    Ok(server.write_all(&chunk.bytes).await?)
}

/// Takes `to_client` along: its end is how the client's side learns that the server has no more to say.
async fn hear(
    mut server: ReadHalf<'_>,
    conditions: &Conditions,
    fate: &Fate,
    to_client: Sender<ToClient>,
    unanswered: &Mutex<Option<Rule>>,
) -> Result<(), Cut> {
    loop {
        conditions.flowing().await;
        let mut bytes = BytesMut::with_capacity(CHUNK_BYTES_MAX);
        let read = server.read_buf(&mut bytes).await;
        let lost = unanswered.lock().take();
        let piece = match read {
            Ok(0) => return Ok(()),
            Ok(_) if lost.is_none() => {
                ToClient::Chunk(Chunk { bytes: bytes.freeze(), due: conditions.due() })
            }
            Ok(_) | Err(_) => ToClient::Reset,
        };
        // a client that is gone hears nothing; the server is listened to all the same, until it has ended
        let _ = to_client.send(piece).await;
        if let Some(rule) = lost {
            fate.spare_server();
            rule.fire();
        }
        read?;
    }
}
