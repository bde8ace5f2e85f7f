//! Messages of the handshake on a stream: each behind its length.

use super::HandshakeError;
use prost::Message;
use std::io::ErrorKind;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest message, in bytes. They come from those who have not proved anything yet.
pub(super) const MESSAGE_BYTES_MAX: usize = 4 << 10;

/// Reads a message; returns it with its bytes. [`HandshakeError::Nothing`] if the stream ends before it.
pub(super) async fn read<M: Message + Default>(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<(Vec<u8>, M), HandshakeError> {
    let length = match stream.read_u32().await {
        Ok(length) => length as usize,
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            return Err(HandshakeError::Nothing);
        }
        Err(error) => return Err(HandshakeError::Io(error)),
    };
    if length > MESSAGE_BYTES_MAX {
        return Err(HandshakeError::Unreadable);
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.map_err(HandshakeError::Io)?;
    let message = M::decode(&*bytes).map_err(|_| HandshakeError::Unreadable)?;
    Ok((bytes, message))
}

/// Writes messages.
pub(super) async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    messages: &[&[u8]],
) -> Result<(), HandshakeError> {
    let mut bytes = Vec::new();
    for message in messages {
        let length = u32::try_from(message.len()).map_err(|_| HandshakeError::Unreadable)?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(message);
    }
    stream.write_all(&bytes).await.map_err(HandshakeError::Io)?;
    stream.flush().await.map_err(HandshakeError::Io)
}
