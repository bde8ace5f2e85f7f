//! An id that panics when a partition reads it back fails the commands to it, and nothing else.

use crate::rig::{Rig, accounts, all_wait};
use actum_runtime::AskError;
use std::future::IntoFuture;

#[tokio::test(start_paused = true)]
async fn all_commands_around_an_id_that_panics_are_answered() {
    let rig = Rig::of_one_partition();
    let kinds = vec![
        accounts(),
        actum_runtime::Registration::event_sourced::<mine::Mine>((), Default::default()),
    ];
    let engine = rig.start_with(kinds, Default::default()).await;
    let mine = |id: &str| engine.entity::<mine::Mine>(id);
    let before: Vec<_> = (0..3).map(|_| mine("before").ask(mine::Step).into_future()).collect();
    let stepped = mine("mine").ask(mine::Step).into_future();
    let behind: Vec<_> = (0..3).map(|_| mine("behind").ask(mine::Step).into_future()).collect();
    for asking in before.into_iter().chain([stepped]).chain(behind) {
        // whatever it is: an answer
        match asking.await {
            Ok(()) | Err(AskError::Unavailable { .. } | AskError::Panicked { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    all_wait().await;
    assert_eq!(engine.usage().commands, 0);
    mine("behind").ask(mine::Step).await.unwrap();
    assert!(engine.shutdown().await.is_clean());
}

/// An entity whose id panics when a partition reads it back.
mod mine {
    use actum_model::{Ctx, Effect, Entity, EntityId, EventSourced, Handle, InvalidId};
    use actum_persistence::codec::Json;
    use serde::{Deserialize, Serialize};
    use std::{
        borrow::Cow, convert::Infallible, sync::atomic::AtomicUsize, sync::atomic::Ordering,
    };

    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub(super) struct MineId(String);
    pub(super) struct Mine;
    #[derive(Serialize, Deserialize)]
    pub(super) struct Step;
    #[derive(Clone, Serialize, Deserialize)]
    pub(super) struct Stepped;
    actum_model::payload! { Json: Step = "step", Stepped = "stepped" }

    static READS: AtomicUsize = AtomicUsize::new(0);

    impl From<&str> for MineId {
        fn from(id: &str) -> Self {
            Self(id.to_owned())
        }
    }

    impl EntityId for MineId {
        fn to_text(&self) -> Cow<'_, str> {
            Cow::Borrowed(&self.0)
        }
        fn from_text(text: &str) -> Result<Self, InvalidId> {
            // the first time the caller's side checks it
            assert!(text != "mine" || READS.fetch_add(1, Ordering::SeqCst) != 1, "in from_text");
            Ok(Self(text.to_owned()))
        }
    }

    impl Entity for Mine {
        const KIND: &'static str = "mine";
        type Id = MineId;
        type Env = ();
        type Event = Stepped;
        type Commands = (Step,);
        fn initial(_: &MineId) -> Self {
            Self
        }
    }

    impl EventSourced for Mine {
        fn apply(&mut self, _: &Stepped) {}
    }

    impl Handle<Step> for Mine {
        type Reply = ();
        type Rejection = Infallible;
        fn handle(&self, _: Step, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Infallible> {
            Ok(Effect::persist(Stepped))
        }
    }
}
