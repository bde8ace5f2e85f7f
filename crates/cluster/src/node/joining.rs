use crate::member::MemberDescription;
use actum_persistence::members::{
    ClusterSight, ClusterTerms, JoinError, MemberStore, NewMember, node_slot,
};
use actum_persistence::store::{ClaimError, Incarnation, StoreError, WriterClaim, WriterStore};
use std::sync::Arc;
use tokio::time::Instant;

/// What a node joins with.
#[derive(Clone)]
pub(super) struct JoinRequest {
    pub(super) node: String,
    pub(super) terms: ClusterTerms,
    pub(super) description: MemberDescription,
    pub(super) writers: Arc<dyn WriterStore>,
    pub(super) members: Arc<dyn MemberStore>,
    /// What names this process among those that had the name of the node: its own claim is none of another one.
    pub(super) process: String,
}

/// A node that has joined.
#[derive(Clone, Debug)]
pub(super) struct JoinedNode {
    pub(super) incarnation: Incarnation,
    /// Until when the membership lasts, unless it is renewed.
    pub(super) valid_until: Instant,
    /// When it began to join.
    pub(super) asked: Instant,
    pub(super) sight: ClusterSight,
}

/// Why a node did not join.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotJoined {
    /// Another process holds the name of the node.
    #[error(transparent)]
    Held(#[from] ClaimError),
    #[error(transparent)]
    Join(#[from] JoinError),
}

/// Whether a node takes its name from another process that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameHeld {
    /// It is the younger one: it takes it.
    Take,
    /// It held it before, and does not take it back from a younger one.
    Leave,
}

/// How often a node that takes its name claims it: between two claims the holder may have renewed.
const CLAIMS_MAX: usize = 10;

impl JoinRequest {
    /// Claims the slot of the node and enters the table of members.
    pub(super) async fn join(&self, held: NameHeld) -> Result<JoinedNode, NotJoined> {
        let asked = Instant::now();
        let incarnation = self.claim(held).await?;
        let (description, name) = (self.description.to_bytes(), self.node.clone());
        let member = NewMember { incarnation, name, description };
        match self.members.join(&self.terms, &member).await {
            Ok(sight) => {
                let valid_until = asked + self.terms.lease;
                Ok(JoinedNode { incarnation, valid_until, asked, sight })
            }
            Err(error) => {
                // one that is not given back is taken over by the next attempt of this process, or its next life
                let _ = self.writers.release(incarnation).await;
                Err(error.into())
            }
        }
    }

    fn holder(&self) -> String {
        format!("node `{}`, process {}", self.node, self.process)
    }

    /// The incarnation that holds the slot by a former claim of this process: one whose answer was lost, or that is in a database
    /// which has regressed.
    fn own(&self, error: &ClaimError) -> Option<Incarnation> {
        match error {
            ClaimError::Held { holder, incarnation, .. } if *holder == self.holder() => {
                Some(*incarnation)
            }
            _ => None,
        }
    }

    async fn claim(&self, held: NameHeld) -> Result<Incarnation, ClaimError> {
        let mut claim = WriterClaim {
            slot: node_slot(&self.node),
            holder: self.holder(),
            lease: self.terms.lease,
            replaces: None,
        };
        for _ in 1..CLAIMS_MAX {
            let error = match self.writers.claim(&claim).await {
                Ok(incarnation) => return Ok(incarnation),
                Err(error) => error,
            };
            if let Some(own) = self.own(&error) {
                self.writers.revoke(own).await?; // it writes nothing, and no store takes it for dead by itself
            } else if held == NameHeld::Take && error.seen().is_some() {
                claim.replaces = error.seen();
            } else {
                return Err(error);
            }
        }
        self.writers.claim(&claim).await
    }
}

impl NotJoined {
    /// Whether a later attempt may succeed by itself.
    pub(super) fn is_transient(&self) -> bool {
        let of_store = |error: &StoreError| {
            matches!(error, StoreError::Unavailable { .. } | StoreError::OutcomeUnknown { .. })
        };
        match self {
            Self::Held(ClaimError::Store(error)) | Self::Join(JoinError::Store(error)) => {
                of_store(error)
            }
            Self::Join(JoinError::Full { .. }) => true,
            Self::Held(_) | Self::Join(_) => false,
        }
    }
}
