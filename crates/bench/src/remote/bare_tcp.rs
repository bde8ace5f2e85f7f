//! The limit: frames over one connection, numbered and written as many together as there are, with nothing behind them.

use super::{
    BARE_TCP, PAYLOAD, name,
    other_process::{OtherProcess, serve_until_done},
};
use crate::{
    case::Case,
    drive::{Target, drive, two_workers},
    name::Name,
};
use anyhow::{Context, Result};
use std::{
    collections::HashMap,
    io,
    mem::take,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Notify, oneshot},
};

pub(super) fn case(callers: u32) -> Case {
    Case::new(row(callers), move |bench, _| {
        let runtime = two_workers()?;
        let other = OtherProcess::start(BARE_TCP, Path::new("."))?;
        let stream = runtime.block_on(TcpStream::connect(&other.address))?;
        let echoes = runtime.block_on(async { Frames::over(stream) })?;
        drive(&runtime, callers, bench.window, &echoes)
    })
}

pub(super) fn row(callers: u32) -> Name {
    name("remote, bare frames", callers)
}

pub(super) async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        let out = Arc::<Outgoing>::default();
        let writing = tokio::spawn(Arc::clone(&out).write(write));
        let read = read_frames(read, |frame| out.push(|bytes| bytes.extend_from_slice(frame)));
        let ended = read.await;
        writing.abort();
        ended
    });
    serve_until_done(address).await?;
    serving.abort();
    Ok(())
}

/// A number and the payload.
const FRAME_BYTES: usize = 8 + PAYLOAD.len();

/// What is written next, together.
#[derive(Default)]
struct Outgoing {
    bytes: Mutex<Vec<u8>>,
    more: Notify,
}

impl Outgoing {
    fn push(&self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes.lock().unwrap_or_else(PoisonError::into_inner));
        self.more.notify_one();
    }

    async fn write(self: Arc<Self>, mut stream: OwnedWriteHalf) -> io::Result<()> {
        loop {
            let bytes = take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner));
            if bytes.is_empty() {
                self.more.notified().await;
            } else {
                stream.write_all(&bytes).await?;
            }
        }
    }
}

async fn read_frames(stream: OwnedReadHalf, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut stream = BufReader::with_capacity(128 * 1024, stream);
    let mut frame = [0; FRAME_BYTES];
    loop {
        stream.read_exact(&mut frame).await?;
        take(&frame);
    }
}

/// Calls over a connection.
#[derive(Clone)]
struct Frames {
    out: Arc<Outgoing>,
    waiting: Arc<Mutex<Waiting>>,
}

/// Who waits for an answer, by the number of the frame.
#[derive(Default)]
struct Waiting {
    next_nr: u64,
    callers: HashMap<u64, oneshot::Sender<()>>,
}

impl Frames {
    fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        let (out, waiting) = (Arc::<Outgoing>::default(), Arc::<Mutex<Waiting>>::default());
        tokio::spawn(Arc::clone(&out).write(write));
        let answers = Arc::clone(&waiting);
        tokio::spawn(read_frames(read, move |frame| {
            let nr = frame.first_chunk().map_or(0, |nr| u64::from_be_bytes(*nr));
            let mut waiting = answers.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(caller) = waiting.callers.remove(&nr) {
                let _ = caller.send(()); // the caller is gone when the row is over
            }
        }));
        Ok(Self { out, waiting })
    }

    async fn ask(&self) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        let nr = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.next_nr += 1;
            let nr = waiting.next_nr;
            waiting.callers.insert(nr, answer);
            nr
        };
        self.out.push(|bytes| {
            bytes.extend_from_slice(&nr.to_be_bytes());
            bytes.extend_from_slice(&PAYLOAD);
        });
        answered.await.context("the connection has ended")
    }
}

impl Target for Frames {
    async fn call(&self, _: &mut fastrand::Rng) {
        self.ask().await.expect("the other process answers");
    }
}
