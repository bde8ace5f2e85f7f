//! Calls of a remote actor, one message each, as ractor_cluster's own documentation has them.

use super::{
    PAYLOAD, PLAIN_CALLS, name,
    other_process::{OtherProcess, serve_until_done},
};
use crate::{
    case::Case,
    drive::{Target, drive, two_workers},
    name::Name,
};
use anyhow::{Context, Result};
use ractor::{
    Actor, ActorProcessingErr, ActorRef, Message, RpcReplyPort,
    message::{BoxedDowncastErr, SerializedMessage},
    pg,
    rpc::CallResult,
};
use ractor_cluster::{IncomingEncryptionMode, NetworkStream, NodeServer, NodeServerMessage};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

pub(super) fn case(callers: u32) -> Case {
    Case::new(row(callers), move |bench, _| {
        let runtime = two_workers()?;
        let other = OtherProcess::start(PLAIN_CALLS, Path::new("."))?;
        let (server, echo) = runtime.block_on(connect(&other.address))?;
        let measured = drive(&runtime, callers, bench.window, &RemoteEcho(echo))?;
        runtime.block_on(async {
            server.stop(None);
            server.wait(None).await
        })?;
        Ok(measured)
    })
}

pub(super) fn row(callers: u32) -> Name {
    name("remote, ractor_cluster call", callers)
}

/// Which actors are meant.
const GROUP: &str = "remote echoes";
const COOKIE: &str = "of this measurement";
/// How long two nodes may take to know each other's actors.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn serve() -> Result<()> {
    let (echo, _) = Actor::spawn(None, BytesEcho, ()).await?;
    show(&echo);
    let server = node_server("far").await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let to = server.clone();
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if opened(&to, stream, true).is_err() {
                return;
            }
        }
    });
    serve_until_done(address).await?;
    serving.abort();
    server.stop(None);
    Ok(())
}

/// Lets other nodes find the actor.
#[expect(clippy::disallowed_methods, reason = "it is how ractor_cluster shows actors to others")]
fn show(echo: &ActorRef<EchoMessage>) {
    pg::join(GROUP.to_owned(), vec![echo.get_cell()]);
}

async fn connect(address: &str) -> Result<(ActorRef<NodeServerMessage>, ActorRef<EchoMessage>)> {
    let server = node_server("near").await?;
    opened(&server, TcpStream::connect(address).await?, false)?;
    let began = Instant::now();
    loop {
        let remote =
            pg::get_members(&GROUP.to_owned()).into_iter().find(|one| !one.get_id().is_local());
        if let Some(echo) = remote {
            return Ok((server, echo.into()));
        }
        anyhow::ensure!(began.elapsed() < PATIENCE, "the other node shows no actor");
        sleep(Duration::from_millis(5)).await;
    }
}

async fn node_server(name: &str) -> Result<ActorRef<NodeServerMessage>> {
    let raw = Some(IncomingEncryptionMode::Raw);
    // it listens where no one calls: connections are opened by hand, so that the port is known
    let server =
        NodeServer::new(0, COOKIE.to_owned(), name.to_owned(), "127.0.0.1".to_owned(), raw, None);
    let server = server.with_listen_addr([127, 0, 0, 1].into());
    Ok(Actor::spawn(None, server, ()).await?.0)
}

fn opened(server: &ActorRef<NodeServerMessage>, stream: TcpStream, is_server: bool) -> Result<()> {
    stream.set_nodelay(true)?;
    let (peer_addr, local_addr) = (stream.peer_addr()?, stream.local_addr()?);
    let stream = Box::new(NetworkStream::Raw { peer_addr, local_addr, stream });
    let opened = NodeServerMessage::ConnectionOpened { stream, is_server };
    server.cast(opened).ok().context("the node has ended")
}

/// Bytes, and where they go back to.
struct EchoMessage(Vec<u8>, RpcReplyPort<Vec<u8>>);

impl Message for EchoMessage {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        let Self(args, reply) = self;
        Ok(SerializedMessage::Call { variant: String::new(), args, reply, metadata: None })
    }

    fn deserialize(message: SerializedMessage) -> Result<Self, BoxedDowncastErr> {
        match message {
            SerializedMessage::Call { args, reply, .. } => Ok(Self(args, reply)),
            _ => Err(BoxedDowncastErr),
        }
    }
}

/// Answers with what it is sent.
struct BytesEcho;

impl Actor for BytesEcho {
    type Msg = EchoMessage;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<EchoMessage>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<EchoMessage>,
        EchoMessage(bytes, port): EchoMessage,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        let _ = port.send(bytes); // the caller is gone when the row is over
        Ok(())
    }
}

#[derive(Clone)]
struct RemoteEcho(ActorRef<EchoMessage>);

impl Target for RemoteEcho {
    async fn call(&self, _: &mut fastrand::Rng) {
        match self.0.call(|port| EchoMessage(PAYLOAD.to_vec(), port), None).await {
            Ok(CallResult::Success(_)) => {}
            other => panic!("an actor that runs answers, this one said {other:?}"),
        }
    }
}
