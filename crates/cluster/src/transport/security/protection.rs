use super::{
    ClusterSecret, LinkSecurity, TlsError,
    tls_identity::{TlsIdentity, server_name},
    tls_watch::TlsWatch,
};
use std::{io, net::IpAddr};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsStream;

/// What the exported key of a TLS connection is for, and how long it is.
const BINDING_LABEL: &[u8] = b"EXPORTER-actum-cluster-handshake";
const BINDING_BYTES: usize = 32;

/// A stream of bytes, encrypted or not.
pub(in crate::transport) trait ByteStream:
    AsyncRead + AsyncWrite + Unpin + Send
{
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> ByteStream for S {}

/// How the connections of a node are protected, with the certificates loaded.
pub(in crate::transport) struct Protection {
    security: LinkSecurity,
    tls: Option<TlsWatch>,
}

/// A connection that is protected as far as it shall be.
pub(in crate::transport) struct ProtectedStream {
    pub(in crate::transport) stream: Box<dyn ByteStream>,
    /// What the encryption is bound to: the same on both sides of this connection only.
    pub(in crate::transport) binding: Vec<u8>,
    /// Which certificates it relies on.
    pub(in crate::transport) generation: u64,
}

impl Protection {
    pub(in crate::transport) fn open(security: LinkSecurity) -> Result<Self, TlsError> {
        let tls = security.tls_files().cloned().map(TlsWatch::open).transpose()?;
        Ok(Self { security, tls })
    }

    pub(in crate::transport) fn tls(&self) -> Option<&TlsWatch> {
        self.tls.as_ref()
    }

    pub(in crate::transport) fn secret(&self) -> Option<&ClusterSecret> {
        self.security.secret()
    }

    pub(in crate::transport) fn allows(&self, address: IpAddr) -> bool {
        self.security.allows(address)
    }

    /// Protects a connection that was dialled at `host`.
    pub(in crate::transport) async fn dialled(
        &self,
        socket: TcpStream,
        host: &str,
    ) -> io::Result<ProtectedStream> {
        let Some(tls) = &self.tls else { return Ok(plain(socket)) };
        let identity = tls.current();
        let name = match &identity.peer_name {
            Some(name) => name.clone(),
            None => server_name(host).map_err(io::Error::other)?,
        };
        let stream = identity.connector.connect(name, socket).await?;
        encrypted(TlsStream::Client(stream), &identity)
    }

    /// Protects a connection that was accepted.
    pub(in crate::transport) async fn accepted(
        &self,
        socket: TcpStream,
    ) -> io::Result<ProtectedStream> {
        let Some(tls) = &self.tls else { return Ok(plain(socket)) };
        let identity = tls.current();
        let stream = identity.acceptor.accept(socket).await?;
        encrypted(TlsStream::Server(stream), &identity)
    }
}

fn plain(socket: TcpStream) -> ProtectedStream {
    ProtectedStream { stream: Box::new(socket), binding: Vec::new(), generation: 0 }
}

fn encrypted(stream: TlsStream<TcpStream>, identity: &TlsIdentity) -> io::Result<ProtectedStream> {
    let binding = vec![0; BINDING_BYTES];
    let binding = match &stream {
        TlsStream::Client(stream) => {
            stream.get_ref().1.export_keying_material(binding, BINDING_LABEL, None)
        }
        TlsStream::Server(stream) => {
            stream.get_ref().1.export_keying_material(binding, BINDING_LABEL, None)
        }
    };
    let binding = binding.map_err(io::Error::other)?;
    Ok(ProtectedStream { stream: Box::new(stream), binding, generation: identity.generation })
}
