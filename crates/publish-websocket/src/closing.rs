use axum::extract::ws::{CloseFrame, Message, WebSocket};
use std::time::Duration;
use tokio::time::timeout;

/// The engine shuts down. The reason ends with when to come back.
pub const CLOSE_SHUTDOWN: u16 = 1001;
/// The subscription cannot go on, because the journal is not the one that was read, or is damaged.
pub const CLOSE_STOPPED: u16 = 1011;
/// The client did not take a frame in time.
pub const CLOSE_SLOW: u16 = 4001;
/// Nothing was heard of the client.
pub const CLOSE_SILENT: u16 = 4002;

/// The longest reason, in bytes: a frame that closes has 125, of which 2 are the code.
const REASON_BYTES_MAX: usize = 123;

/// Says why a connection is over, and waits until the client has taken it in, but not for long.
pub(crate) async fn close(mut socket: WebSocket, code: u16, reason: &str, within: Duration) {
    let frame = CloseFrame { code, reason: cut(reason).into() };
    let closing = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    // one that does not take it in finds its connection gone
    let _ = timeout(within, closing).await;
}

fn cut(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(REASON_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_in_the_frame_that_closes() {
        assert_eq!(cut("slow"), "slow");
        assert_eq!(cut(&"x".repeat(200)).len(), 123);
        assert_eq!(cut(&"\u{20ac}".repeat(200)).len(), 123);
        assert_eq!(cut(&"\u{e9}".repeat(200)).len(), 122);
    }
}
