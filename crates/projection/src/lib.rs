//! What reads the journal beside the entities of an engine.
//!
//! [`Journal`] gives what there is: the history of an entity, events in the order in which they were committed, the entities of a
//! kind. Each is read page by page: the next page comes while this one is handled, and no more than that is held in memory.
//!
//! A [`Projection`] is a consumer with an offset that is kept: its handler sees every event once, or at least once, whatever
//! crashes. [`ProjectionService`] runs projections, [`ProjectionRef`] shows one and changes how it runs.
//!
//! A [`Subscription`] delivers events to a part of the program that asks for them one by one, through a [`Consumer`].
//!
//! An internal crate of Actum's: users see its types through `actum`.

mod definition;
mod feed;
mod handler;
mod journal;
mod publisher;
mod registry;
mod service;
mod subscription;

pub use actum_reader::{division::NotDivided, segment::OnFailure};
pub use definition::{Projection, ProjectionSettings, StartAt, Switch};
pub use handler::{
    AtLeastOnce, HandlerError, Project, ProjectCtx, ProjectState, ProjectStream, Projector, Target,
};
pub use journal::{
    Changed, EntityList, Events, History, Journal, JournalInfo, ReadError, Recorded, StateChanges,
};
pub use publisher::{Message, PublishError, Publisher, PublisherTarget, Publishing, Waves};
pub use registry::{RegisteredProjection, Registry};
pub use service::{
    CatchUp, JournalPlace, JournalPlaces, Lag, ProjectionError, ProjectionRef,
    ProjectionRegistration, ProjectionService, ProjectionState, ProjectionStatus, ReadShare,
    RunsOn, SegmentStatus, ServiceParts, WaitError,
};
pub use subscription::{
    AckError, Consumer, Delivered, LastResort, Nack, Subscription, SubscriptionError,
    SubscriptionRef, SubscriptionService, SubscriptionSettings, SubscriptionStatus,
};
