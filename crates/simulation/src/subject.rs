use super::{Board, Chain, Flaw, Plan, Wish, fold};
use actum_model::{Change, Codec, CodecError, Entity};
use actum_persistence::serializer::SizeLimits;
use std::panic::resume_unwind;

/// An entity of the simulation: its state is a digest of everything that happened to it, so two states are equal only
/// if the same happened in the same order.
pub(crate) trait Subject: Entity<Id = u64, Env = ()> {
    fn digest(&self) -> u64;

    /// What `plan` of the command `nr` changes.
    fn change(&self, nr: u32, plan: &Plan) -> Change<Self>;
}

/// The limits of the simulation: small, so that they are met.
pub(crate) fn size_limits() -> SizeLimits {
    SizeLimits::default()
        .with_payload_bytes_max(48)
        .with_metadata_bytes_max(48)
        .with_append_bytes_max(1024)
        .with_append_events_max(super::APPEND_EVENTS_MAX)
}

/// The digest of an entity that nothing has happened to.
pub(crate) fn initial_digest(id: u64) -> u64 {
    fold(0, id)
}

/// The digests after each of the changes of command `nr`, which finds the digest `seen`.
pub(crate) fn digests(id: u64, seen: u64, nr: u32, plan: &Plan, by_state: bool) -> Vec<u64> {
    let count = match plan.wish {
        Wish::Look | Wish::Reject | Wish::Write(0) => 0,
        Wish::Delete if by_state => return vec![initial_digest(id)],
        Wish::Delete => 1,
        Wish::Write(_) if by_state => 1,
        Wish::Write(count) => u64::from(count),
    };
    let folds = (0..count).scan(seen, |digest, index| {
        *digest = fold(*digest, word(nr, index));
        Some(*digest)
    });
    folds.collect()
}

/// What change `index` of command `nr` folds into the digest.
pub(crate) fn word(nr: u32, index: u64) -> u64 {
    u64::from(nr) << 8 | index
}

/// Panics as a user's code would, without a word on the terminal.
pub(crate) fn blow_up(what: &str) -> ! {
    resume_unwind(Box::new(what.to_owned()))
}

/// The codec of the simulation: a few bytes, made as cheaply as can be, which also shows the flaws of a plan.
pub(crate) enum Compact {}

impl Compact {
    fn finish(flaw: Flaw, out: &mut Vec<u8>) -> Result<(), CodecError> {
        match flaw {
            Flaw::EncodingFails => Err(CodecError::new("this has no encoding")),
            Flaw::EncodingPanics => blow_up("encoding"),
            Flaw::PayloadTooLarge => {
                out.resize(1000, 0);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Codec<Chain> for Compact {
    const NAME: &'static str = "compact";

    fn encode(chain: &Chain, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(&chain.digest.to_le_bytes());
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<Chain, CodecError> {
        match bytes {
            [0xff] => blow_up("decoding"),
            bytes => {
                let digest = bytes.try_into().map_err(CodecError::new)?;
                Ok(Chain { digest: u64::from_le_bytes(digest) })
            }
        }
    }
}

impl Codec<Board> for Compact {
    const NAME: &'static str = "compact";

    fn encode(board: &Board, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(&board.digest.to_le_bytes());
        out.push(board.flaw as u8);
        Self::finish(board.flaw, out)
    }

    fn decode(bytes: &[u8]) -> Result<Board, CodecError> {
        let digest = bytes.get(..8).and_then(|digest| digest.try_into().ok());
        let digest = digest.ok_or_else(|| CodecError::new("too short"))?;
        Ok(Board { digest: u64::from_le_bytes(digest), flaw: Flaw::None })
    }
}

impl Codec<super::Link> for Compact {
    const NAME: &'static str = "compact";

    fn encode(link: &super::Link, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(&link.nr.to_le_bytes());
        out.extend_from_slice(&[link.index, link.of, link.flaw as u8]);
        Self::finish(link.flaw, out)
    }

    fn decode(bytes: &[u8]) -> Result<super::Link, CodecError> {
        let &[a, b, c, d, index, of, _] = bytes else {
            return Err(CodecError::new("an event has seven bytes"));
        };
        let nr = u32::from_le_bytes([a, b, c, d]);
        Ok(super::Link { nr, index, of, flaw: Flaw::None })
    }
}
