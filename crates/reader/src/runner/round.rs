use actum_persistence::progress::{Epoch, Segment, SegmentClaim};

/// What is to be done in a round.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Segments that run here, and were claimed by others, released or rewound: they lose what is under way.
    pub lost: Vec<Segment>,
    /// Segments that end as soon as what is under way is saved, and are given back then.
    pub ended: Vec<Segment>,
    /// Segments that are given back at once, since they do not run here: they were claimed or were to be given back, and the
    /// answer was lost.
    pub released: Vec<(Segment, Epoch)>,
    /// Segments that take in what is asked of parked entities and dead letters.
    pub requested: Vec<Segment>,
    /// Segments that it asks for, and begins with if it gets them.
    pub claims: Vec<SegmentClaim>,
    /// Whether another version takes over, or the projection is divided.
    pub rests: bool,
}
