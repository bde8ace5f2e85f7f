use super::{
    Flaw, Plan, Subject, Wish,
    compact::Compact,
    digest::{initial_digest, word},
    fold,
};
use actum_model::{Change, Codec, CodecError, Ctx, DurableState, Effect, Entity, Handle, NoEvents};
use std::convert::Infallible;

/// The durable-state entity of the simulation.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) digest: u64,
    /// Not read back.
    pub(crate) flaw: Flaw,
}

actum_model::payload!(Compact: Board = "board");

impl Entity for Board {
    const KIND: &'static str = "board";
    type Id = u64;
    type Env = ();
    type Event = NoEvents;
    type Commands = ((),);

    fn initial(id: &u64) -> Self {
        Self { digest: initial_digest(*id), flaw: Flaw::None }
    }
}

impl DurableState for Board {}

impl Subject for Board {
    fn digest(&self) -> u64 {
        self.digest
    }

    fn change(&self, nr: u32, plan: &Plan) -> Change<Self> {
        match plan.wish {
            Wish::Look | Wish::Reject => Change::Nothing,
            Wish::Delete => Change::Delete,
            Wish::Write(0) => Change::Events(Vec::new()),
            Wish::Write(_) => {
                Change::Replace(Self { digest: fold(self.digest, word(nr, 0)), flaw: plan.flaw })
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

// the simulation brings its own jobs; an entity must list a command nevertheless
impl Handle<()> for Board {
    type Reply = ();
    type Rejection = Infallible;

    fn handle(&self, (): (), _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(Effect::none())
    }
}
