use super::{
    HandshakeError,
    messages::{read, write},
    proofs::{PROOF_BYTES, Proofs, Prover},
};
use crate::transport::security::ClusterSecret;
use actum_persistence::store::{Incarnation, members::NODE_BYTES_MAX};
use actum_proto::link::v1::{
    Admission, AdmissionVerdict, Confirmation, Greeting, GreetingAnswer, GreetingProof,
};
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};

/// The version of the handshake.
pub(super) const HANDSHAKE_VERSION: u32 = 1;

/// How many random bytes a greeting has.
const NONCE_BYTES: usize = 32;

/// How a node introduces itself.
#[derive(Clone, Debug)]
pub(in crate::transport) struct Introduction {
    pub(in crate::transport) incarnation: Incarnation,
    pub(in crate::transport) name: String,
    /// The number of the actor that takes frames.
    pub(in crate::transport) gateway: u64,
    pub(in crate::transport) secret: Option<ClusterSecret>,
}

/// A peer that has proved that it knows the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::transport) struct Introduced {
    pub(in crate::transport) incarnation: Incarnation,
    pub(in crate::transport) name: String,
    pub(in crate::transport) gateway: u64,
    /// Names the connection; both sides know it, and no one else.
    pub(in crate::transport) key: String,
    /// The secret of the session on it.
    pub(in crate::transport) cookie: String,
}

/// Whether an acceptor takes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) enum Admittance {
    Admitted,
    UnknownMember,
    Busy,
}

impl Introduction {
    /// Introduces itself as the one that has dialled `wanted`. `binding` is what the encryption of the stream is bound to. When
    /// the other side takes the connection, `confirm` says whether it is still wanted.
    ///
    /// # Cancel safety
    /// The stream is of no use afterwards.
    pub(in crate::transport) async fn dialled<S>(
        &self,
        stream: &mut S,
        wanted: Incarnation,
        binding: &[u8],
        confirm: impl FnOnce(&Introduced) -> bool + Send,
    ) -> Result<Introduced, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let greeting = Greeting {
            protocol_version: HANDSHAKE_VERSION,
            incarnation: self.incarnation.get(),
            node: self.name.clone(),
            nonce: nonce()?.into(),
            wanted_incarnation: wanted.get(),
            gateway: self.gateway,
        };
        let greeting = greeting.encode_to_vec();
        write(stream, &[&greeting]).await?;
        let (answer_bytes, answer) = read::<GreetingAnswer>(stream).await?;
        let (_, proof) = read::<GreetingProof>(stream).await?;
        check_version(answer.protocol_version)?;
        let proofs = Proofs::new(self.secret.as_ref(), &greeting, &answer_bytes, binding);
        check_proof(&proofs, Prover::Acceptor, &proof)?;
        check_greeting(&answer.node, &answer.nonce)?;
        if answer.incarnation != wanted.get() {
            return Err(HandshakeError::AnotherLife);
        }
        let proof = GreetingProof { proof: proofs.prove(Prover::Dialler).into() };
        write(stream, &[&proof.encode_to_vec()]).await?;
        let (_, admission) = read::<Admission>(stream).await?;
        match admission.verdict() {
            AdmissionVerdict::Admitted => {}
            AdmissionVerdict::UnknownMember => return Err(HandshakeError::UnknownMember),
            AdmissionVerdict::Busy | AdmissionVerdict::Unspecified => {
                return Err(HandshakeError::Busy);
            }
        }
        let peer = introduced(&proofs, answer.incarnation, answer.node, answer.gateway);
        if !confirm(&peer) {
            return Err(HandshakeError::Busy);
        }
        write(stream, &[&Confirmation {}.encode_to_vec()]).await?;
        Ok(peer)
    }

    /// Introduces itself as the one that was dialled, and says whether it takes the connection.
    ///
    /// # Cancel safety
    /// The stream is of no use afterwards.
    pub(in crate::transport) async fn accepted<S>(
        &self,
        stream: &mut S,
        binding: &[u8],
        admit: impl FnOnce(Incarnation) -> Admittance + Send,
    ) -> Result<Introduced, HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (greeting_bytes, greeting) = read::<Greeting>(stream).await?;
        check_version(greeting.protocol_version)?;
        check_greeting(&greeting.node, &greeting.nonce)?;
        let answer = GreetingAnswer {
            protocol_version: HANDSHAKE_VERSION,
            incarnation: self.incarnation.get(),
            node: self.name.clone(),
            nonce: nonce()?.into(),
            gateway: self.gateway,
        };
        let answer = answer.encode_to_vec();
        let proofs = Proofs::new(self.secret.as_ref(), &greeting_bytes, &answer, binding);
        let proof = GreetingProof { proof: proofs.prove(Prover::Acceptor).into() };
        write(stream, &[&answer, &proof.encode_to_vec()]).await?;
        let (_, proof) = match read::<GreetingProof>(stream).await {
            // who wants another life ends it here
            Err(HandshakeError::Nothing)
                if greeting.wanted_incarnation != self.incarnation.get() =>
            {
                return Err(HandshakeError::AnotherLife);
            }
            Err(HandshakeError::Nothing) => return Err(HandshakeError::Left),
            other => other?,
        };
        check_proof(&proofs, Prover::Dialler, &proof)?;
        let incarnation = Incarnation::new(greeting.incarnation);
        let verdict = admit(incarnation);
        let (said, result) = match verdict {
            Admittance::Admitted => (AdmissionVerdict::Admitted, Ok(())),
            Admittance::UnknownMember => {
                (AdmissionVerdict::UnknownMember, Err(HandshakeError::UnknownMember))
            }
            Admittance::Busy => (AdmissionVerdict::Busy, Err(HandshakeError::Busy)),
        };
        let admission = Admission { verdict: said.into() };
        write(stream, &[&admission.encode_to_vec()]).await?;
        result?;
        match read::<Confirmation>(stream).await {
            // it has taken another one meanwhile
            Err(HandshakeError::Nothing) => return Err(HandshakeError::Busy),
            other => other?,
        };
        Ok(introduced(&proofs, greeting.incarnation, greeting.node, greeting.gateway))
    }
}

fn introduced(proofs: &Proofs, incarnation: u64, name: String, gateway: u64) -> Introduced {
    Introduced {
        incarnation: Incarnation::new(incarnation),
        name,
        gateway,
        key: proofs.secret_of("key"),
        cookie: proofs.secret_of("cookie"),
    }
}

fn nonce() -> Result<Vec<u8>, HandshakeError> {
    let mut nonce = vec![0; NONCE_BYTES];
    aws_lc_rs::rand::fill(&mut nonce)
        .map_err(|_| HandshakeError::Io(std::io::Error::other("no random bytes can be had")))?;
    Ok(nonce)
}

fn check_version(theirs: u32) -> Result<(), HandshakeError> {
    if theirs == HANDSHAKE_VERSION {
        return Ok(());
    }
    Err(HandshakeError::AnotherVersion { ours: HANDSHAKE_VERSION, theirs })
}

fn check_greeting(node: &str, nonce: &[u8]) -> Result<(), HandshakeError> {
    if nonce.len() == NONCE_BYTES && (1..=NODE_BYTES_MAX).contains(&node.len()) {
        return Ok(());
    }
    Err(HandshakeError::Unreadable)
}

fn check_proof(
    proofs: &Proofs,
    prover: Prover,
    proof: &GreetingProof,
) -> Result<(), HandshakeError> {
    if proof.proof.len() == PROOF_BYTES && proofs.is_proof(prover, &proof.proof) {
        return Ok(());
    }
    Err(HandshakeError::WrongSecret)
}
