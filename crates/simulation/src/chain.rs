use super::{
    Flaw, Plan, Subject, Wish,
    compact::{Compact, blow_up},
    digest::{initial_digest, word},
    fold,
};
use actum_model::{Change, Codec, CodecError, Ctx, Effect, Entity, EventSourced, Handle};
use std::convert::Infallible;

/// The event-sourced entity of the simulation.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) digest: u64,
}

/// Its event: which command it comes from, and which of that command's events it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) nr: u32,
    pub(crate) index: u8,
    pub(crate) of: u8,
    /// Only on the last event of a command; not read back.
    pub(crate) flaw: Flaw,
}

actum_model::payload!(Compact: Chain = "chain", Link = "link");

impl Entity for Chain {
    const KIND: &'static str = "chain";
    type Id = u64;
    type Env = ();
    type Event = Link;
    type Commands = ((),);

    fn initial(id: &u64) -> Self {
        Self { digest: initial_digest(*id) }
    }
}

impl EventSourced for Chain {
    fn apply(&mut self, link: &Link) {
        self.digest = fold(self.digest, word(link.nr, u64::from(link.index)));
        if link.flaw == Flaw::ApplyPanics {
            blow_up("applying");
        }
    }
}

impl Subject for Chain {
    fn digest(&self) -> u64 {
        self.digest
    }

    fn change(&self, nr: u32, plan: &Plan) -> Change<Self> {
        let of = match plan.wish {
            Wish::Look | Wish::Reject => return Change::Nothing,
            Wish::Delete => 1,
            Wish::Write(of) => of,
        };
        let link = |index| Link {
            nr,
            index,
            of,
            flaw: if index + 1 == of { plan.flaw } else { Flaw::None },
        };
        if of == 1 { Change::Event(link(0)) } else { Change::Events((0..of).map(link).collect()) }
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

impl Codec<Link> for Compact {
    const NAME: &'static str = "compact";

    fn encode(link: &Link, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(&link.nr.to_le_bytes());
        out.extend_from_slice(&[link.index, link.of, link.flaw as u8]);
        Self::finish(link.flaw, out)
    }

    fn decode(bytes: &[u8]) -> Result<Link, CodecError> {
        let &[a, b, c, d, index, of, _] = bytes else {
            return Err(CodecError::new("an event has seven bytes"));
        };
        let nr = u32::from_le_bytes([a, b, c, d]);
        Ok(Link { nr, index, of, flaw: Flaw::None })
    }
}

// the simulation brings its own jobs; an entity must list a command nevertheless
impl Handle<()> for Chain {
    type Reply = ();
    type Rejection = Infallible;

    fn handle(&self, (): (), _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(Effect::none())
    }
}
