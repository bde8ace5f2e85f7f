use std::{net::SocketAddr, sync::Arc};

use tokio::{net::TcpStream, sync::mpsc::channel};

use super::{
    client_side::ClientSide,
    conditions::Conditions,
    fate::Fate,
    piece::{Cut, PIECES_MAX},
    server_side::ServerSide,
};

/// Connects a client with `target` until both sides are over; `cuts` is how often everything had been cut when it came.
pub(super) async fn serve(
    client: TcpStream,
    target: SocketAddr,
    conditions: Arc<Conditions>,
    cuts: u64,
) {
    let server = tokio::select! {
        biased;
        () = conditions.cut_after(cuts) => Err(Cut),
        server = connect(target, &conditions) => server,
    };
    let Ok(server) = server else { return reset(client) };
    // what passes through is not delayed a second time; fails on a socket that is closed already
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let fate = Arc::new(Fate::default());
    let (to_server, from_client) = channel(PIECES_MAX);
    let (to_client, from_server) = channel(PIECES_MAX);
    let client_side = ClientSide {
        conditions: Arc::clone(&conditions),
        fate: Arc::clone(&fate),
        to_server,
        from_server,
        cuts,
    };
    let server_side = ServerSide { conditions, fate, to_client, from_client, cuts };
    tokio::join!(client_side.run(client), server_side.run(server));
}

/// Closes a connection so that the other end sees it reset.
pub(super) fn reset(stream: TcpStream) {
    // fails on a socket that is closed already
    let _ = stream.set_zero_linger();
    drop(stream);
}

async fn connect(target: SocketAddr, conditions: &Conditions) -> Result<TcpStream, Cut> {
    conditions.flowing().await;
    Ok(TcpStream::connect(target).await?)
}
