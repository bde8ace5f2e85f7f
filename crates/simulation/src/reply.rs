use super::compact::{Compact, blow_up};
use actum_model::{Codec, CodecError};

/// What a command replies: which one it is, and the digest of the state it speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) nr: u32,
    pub(crate) digest: u64,
    pub(crate) trouble: Trouble,
}

/// What goes wrong when the reply is recorded. Not read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    Fails,
    Panics,
}

actum_model::payload!(Compact: Reply = "reply");

impl Codec<Reply> for Compact {
    const NAME: &'static str = "compact";

    fn encode(reply: &Reply, out: &mut Vec<u8>) -> Result<(), CodecError> {
        match reply.trouble {
            Trouble::None => {}
            Trouble::Fails => return Err(CodecError::new("this reply has no encoding")),
            Trouble::Panics => blow_up("recording"),
        }
        out.extend_from_slice(&reply.nr.to_le_bytes());
        out.extend_from_slice(&reply.digest.to_le_bytes());
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<Reply, CodecError> {
        let &[a, b, c, d, ref digest @ ..] = bytes else {
            return Err(CodecError::new("a reply has twelve bytes"));
        };
        let digest = digest.try_into().map_err(CodecError::new)?;
        Ok(Reply {
            nr: u32::from_le_bytes([a, b, c, d]),
            digest: u64::from_le_bytes(digest),
            trouble: Trouble::None,
        })
    }
}
