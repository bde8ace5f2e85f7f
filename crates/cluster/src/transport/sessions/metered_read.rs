use super::frame_room::FrameRoom;
use crate::transport::FRAME_BYTES_MAX;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncBufRead, AsyncRead, BufReader, ReadBuf},
    time::Instant,
};

/// The longest frame of ractor_cluster, in bytes: one of ours, and where it goes.
pub(super) const SESSION_FRAME_BYTES_MAX: u64 = FRAME_BYTES_MAX as u64 + 1_024;

/// How many frames that are not for the gateway a peer may send in [`CONTROL_INTERVAL`], and how many bytes: two a second are
/// usual.
pub(super) const CONTROL_FRAMES_MAX: u32 = 1_000;
pub(super) const CONTROL_BYTES_MAX: u64 = 4 << 20;
const CONTROL_INTERVAL: Duration = Duration::from_secs(10);

/// How much is read from the socket at a time, in bytes.
const BUFFER_BYTES: usize = 64 << 10;

/// How many bytes say how long a frame is.
const LENGTH_BYTES: usize = 8;

/// The first byte of a frame for an actor; others are of the session itself.
const FOR_AN_ACTOR: u8 = 0x12;

/// What arrives on a connection, read no faster than it is handled: ractor_cluster reads on into queues without a bound. It
/// follows the frames that go by, each behind its length.
pub(super) struct MeteredRead<R> {
    inner: BufReader<R>,
    meter: FrameMeter,
}

/// Follows the frames.
#[derive(Debug)]
struct FrameMeter {
    room: Arc<FrameRoom>,
    place: FramePlace,
    control: ControlFrames,
}

/// Where in a frame the next byte is.
#[derive(Clone, Copy, Debug)]
enum FramePlace {
    Length { seen: usize, length: u64 },
    Content { left: u64, is_first: bool },
}

const NEXT_FRAME: FramePlace = FramePlace::Length { seen: 0, length: 0 };

impl<R: AsyncRead + Unpin> MeteredRead<R> {
    pub(super) fn new(inner: R, room: Arc<FrameRoom>) -> Self {
        let inner = BufReader::with_capacity(BUFFER_BYTES, inner);
        let control = ControlFrames::begin();
        Self { inner, meter: FrameMeter { room, place: NEXT_FRAME, control } }
    }
}

impl FrameMeter {
    /// How many bytes of `data` may be passed on before the next look.
    fn pass(&mut self, data: &[u8]) -> io::Result<usize> {
        match self.place {
            FramePlace::Length { mut seen, mut length } => {
                let passed = data.len().min(LENGTH_BYTES - seen);
                for byte in &data[..passed] {
                    length = length << 8 | u64::from(*byte);
                }
                seen += passed;
                self.place = match seen {
                    LENGTH_BYTES if length > SESSION_FRAME_BYTES_MAX => {
                        return Err(refused("a frame is too long"));
                    }
                    LENGTH_BYTES if length == 0 => NEXT_FRAME,
                    LENGTH_BYTES => FramePlace::Content { left: length, is_first: true },
                    _ => FramePlace::Length { seen, length },
                };
                Ok(passed)
            }
            FramePlace::Content { left, is_first } => {
                if is_first {
                    self.begin_frame(data[0], left)?;
                }
                let passed = data.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - passed as u64;
                self.place = match left {
                    0 => NEXT_FRAME,
                    _ => FramePlace::Content { left, is_first: false },
                };
                Ok(passed)
            }
        }
    }

    fn begin_frame(&mut self, first: u8, length: u64) -> io::Result<()> {
        if first == FOR_AN_ACTOR {
            self.room.reading();
            return Ok(());
        }
        self.control.count(length)
    }

    fn is_between_frames(&self) -> bool {
        matches!(self.place, FramePlace::Length { seen: 0, .. })
    }
}

/// The frames of a session that are not for an actor.
#[derive(Debug)]
struct ControlFrames {
    since: Instant,
    count: u32,
    bytes: u64,
}

impl ControlFrames {
    fn begin() -> Self {
        Self { since: Instant::now(), count: 0, bytes: 0 }
    }

    fn count(&mut self, length: u64) -> io::Result<()> {
        if self.since.elapsed() >= CONTROL_INTERVAL {
            *self = Self::begin();
        }
        self.count += 1;
        self.bytes += length;
        if self.count > CONTROL_FRAMES_MAX || self.bytes > CONTROL_BYTES_MAX {
            return Err(refused("too much that is not for the gateway"));
        }
        Ok(())
    }
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

impl<R: AsyncRead + Unpin> AsyncRead for MeteredRead<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { inner, meter } = self.get_mut();
        if meter.is_between_frames() {
            ready!(meter.room.poll_room(context));
        }
        let data = ready!(Pin::new(&mut *inner).poll_fill_buf(context))?;
        if data.is_empty() || buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let passed = meter.pass(&data[..data.len().min(buffer.remaining())])?;
        buffer.put_slice(&data[..passed]);
        Pin::new(inner).consume(passed);
        Poll::Ready(Ok(()))
    }
}
