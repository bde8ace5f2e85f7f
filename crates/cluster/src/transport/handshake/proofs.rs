use crate::transport::security::ClusterSecret;
use aws_lc_rs::hmac;

/// What a handshake is about, so that a proof is of no use for anything else.
const CONTEXT: &[u8] = b"actum cluster handshake 1";

/// How many bytes a proof has.
pub(super) const PROOF_BYTES: usize = 32;

/// Which of both sides proves something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prover {
    Dialler,
    Acceptor,
}

impl Prover {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Dialler => b"dialler",
            Self::Acceptor => b"acceptor",
        }
    }
}

/// What was said in a handshake, and the secret by which both sides prove that they have said it.
pub(super) struct Proofs {
    key: hmac::Key,
    said: Vec<u8>,
}

impl Proofs {
    /// `binding` is what the encryption below is bound to.
    pub(super) fn new(
        secret: Option<&ClusterSecret>,
        greeting: &[u8],
        answer: &[u8],
        binding: &[u8],
    ) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.map_or(&[], ClusterSecret::bytes));
        let mut said = Vec::new();
        for part in [CONTEXT, greeting, answer, binding] {
            said.extend_from_slice(&(part.len() as u64).to_be_bytes());
            said.extend_from_slice(part);
        }
        Self { key, said }
    }

    pub(super) fn prove(&self, prover: Prover) -> Vec<u8> {
        hmac::sign(&self.key, &self.labelled(prover.label())).as_ref().to_vec()
    }

    /// Compares in a time that does not depend on how much of the proof is right.
    pub(super) fn is_proof(&self, prover: Prover, proof: &[u8]) -> bool {
        hmac::verify(&self.key, &self.labelled(prover.label()), proof).is_ok()
    }

    /// A secret of this connection, as text of 64 characters.
    pub(super) fn secret_of(&self, purpose: &str) -> String {
        let tag = hmac::sign(&self.key, &self.labelled(purpose.as_bytes()));
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn labelled(&self, label: &[u8]) -> Vec<u8> {
        let mut bytes = (label.len() as u64).to_be_bytes().to_vec();
        bytes.extend_from_slice(label);
        bytes.extend_from_slice(&self.said);
        bytes
    }
}
