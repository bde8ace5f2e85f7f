//! One connection of a client: how long it may be idle, and how it ends.

use axum::Router;
use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    future::ready,
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{net::TcpStream, sync::watch};

/// How long a client may take to send the head of a request, counted from the connection or the answer before: a client
/// that stops in the middle, and one that keeps a connection without using it, are disconnected.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves a connection until its client is done with it, or `stop` changes; then what has arrived is still answered.
pub(crate) async fn serve(stream: TcpStream, router: Router, mut stop: watch::Receiver<()>) {
    // small answers should not wait for more; if it cannot be had they are only slower
    let _ = stream.set_nodelay(true);
    // held once by the service, and once by each request until it is answered
    let requests = Arc::new(());
    let under_way = Arc::downgrade(&requests);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request| {
        let (answer, under_way) = (router.call(request), Arc::clone(&requests));
        async move {
            let answer = answer.await;
            drop(under_way);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // how a connection ends is its client's business, so no outcome is looked at
    tokio::select! {
        biased;
        _ = &mut connection => return,
        _ = stop.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    // one more poll takes in what has arrived; a client that sent half a request, or none, is not waited for
    tokio::select! {
        biased;
        _ = &mut connection => return,
        () = ready(()) => {}
    }
    if Weak::strong_count(&under_way) > 1 {
        let _ = connection.await;
    }
}
