//! Unary calls of gRPC over one HTTP/2 connection.

use super::{
    GRPC, PAYLOAD, name,
    other_process::{OtherProcess, serve_until_done},
};
use crate::{
    case::Case,
    drive::{Target, drive, two_workers},
    name::Name,
};
use anyhow::Result;
use std::{
    convert::Infallible,
    future::{Ready, ready},
    path::Path,
    task::{Context, Poll},
};
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status,
    body::Body,
    client,
    codegen::{
        BoxFuture, Service,
        http::{self, uri::PathAndQuery},
    },
    server,
    server::NamedService,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;

/// The message of a request and of its answer: one field of bytes, as the standard library's type for it.
type Sent = Vec<u8>;

const METHOD: &str = "/bench.Echo/Say";

pub(super) fn case(callers: u32) -> Case {
    Case::new(row(callers), move |bench, _| {
        let runtime = two_workers()?;
        let other = OtherProcess::start(GRPC, Path::new("."))?;
        let connecting =
            Channel::from_shared(format!("http://{}", other.address))?.tcp_nodelay(true);
        let channel = runtime.block_on(connecting.connect())?;
        drive(&runtime, callers, bench.window, &Unary(channel))
    })
}

pub(super) fn row(callers: u32) -> Name {
    name("remote, tonic unary", callers)
}

pub(super) async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving =
        tokio::spawn(Server::builder().add_service(EchoService).serve_with_incoming(incoming));
    serve_until_done(address).await?;
    serving.abort();
    Ok(())
}

#[derive(Clone)]
struct Unary(Channel);

impl Target for Unary {
    async fn call(&self, _: &mut fastrand::Rng) {
        let mut grpc = client::Grpc::new(self.0.clone());
        grpc.ready().await.expect("the connection is there");
        let codec = ProstCodec::<Sent, Sent>::default();
        let request = Request::new(PAYLOAD.to_vec());
        let answer = grpc.unary(request, PathAndQuery::from_static(METHOD), codec).await;
        answer.expect("the other process answers");
    }
}

/// Answers with what it is sent.
#[derive(Clone)]
struct EchoService;

impl NamedService for EchoService {
    const NAME: &'static str = "bench.Echo";
}

impl Service<http::Request<Body>> for EchoService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let codec = ProstCodec::<Sent, Sent>::default();
            Ok(server::Grpc::new(codec).unary(Say, request).await)
        })
    }
}

struct Say;

impl server::UnaryService<Sent> for Say {
    type Response = Sent;
    type Future = Ready<Result<Response<Sent>, Status>>;

    fn call(&mut self, request: Request<Sent>) -> Self::Future {
        ready(Ok(Response::new(request.into_inner())))
    }
}
