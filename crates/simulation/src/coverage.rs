macro_rules! sights {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a run must have met, or it has proven little.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Seen { $($(#[$doc])* $name,)* }

        const ALL: &[Seen] = &[$(Seen::$name),*];
    };
}

sights! {
    // how commands end
    Replied,
    RepliedByRecord,
    Rejected,
    TimeoutNotApplied,
    TimeoutMaybeApplied,
    /// A retry of a command under way timed out.
    TimeoutOfRetry,
    RevisionMismatch,
    ConflictInJournal,
    Unavailable,
    OutcomeUnknown,
    OverloadedEntity,
    OverloadedPartition,
    OverloadedEngine,
    OverloadedJournal,
    InvalidCommand,
    InvalidForStore,
    Corrupt,
    CorruptRecord,
    PanickedHandler,
    PanickedApply,
    PanickedConclusion,
    PanickedEncoding,
    PanickedRecording,
    PanickedReplay,
    PanickedFingerprint,
    FingerprintFailed,
    RecordingFailed,
    LostInCrash,
    // their outcome after all
    /// A command that timed out was stored later.
    StoredAfterTimeout,
    /// A command of unknown outcome was stored, or later found stored.
    StoredThoughUnknown,
    /// A command of a process that died was stored.
    StoredThoughLost,
    NotStoredAfterUnknown,
    // retries
    RetrySent,
    RetryWhileUnderWay,
    RetryInAnotherLife,
    RetryOfUnknown,
    RetryWithOtherPlan,
    /// A retry was answered before later commands of its entity.
    RetryOvertook,
    /// An id came back with another command, or with other content.
    IdReused,
    AppliedAgainBeyondCount,
    AppliedAgainBeyondAge,
    AppliedAgainForgottenEarly,
    /// A command was handled though another id with the same hash is remembered.
    HashCollision,
    /// A command was handled after others that were sent later, since it had to wait for a record.
    HandledAfterRecord,
    /// The record of a command was deleted while a retry asked for it, or only another engine knew that it was needed.
    ReplyDeleted,
    /// Records of a durable state's commands were deleted.
    RecordsForgotten,
    /// The record of a command could not be read.
    RecordUnread,
    // the journal
    AppendFailed,
    AppendUnknownButDone,
    AppendUnknownAndNot,
    AppendLate,
    ResolveFailed,
    ResolveGivenUp,
    /// The outcome of a write could not be found out, though the store answered.
    Untraceable,
    /// Writes waited behind a batch when the store could not say its outcome.
    RefusedBehindUnknown,
    /// Writes came after that, while it was still unknown.
    RefusedWhileAway,
    BatchOfMany,
    BatchHalved,
    Fenced,
    ForeignWrite,
    SeveralCommandsInWrite,
    Tombstone,
    // processes
    PartitionFailed,
    /// It was not brought back, since writes of its former life were not settled.
    RestartWaitedForWrites,
    Crash,
    Takeover,
    ShutdownDrained,
    ShutdownAbandoned,
    // life of an entity
    /// A late wait was ended from outside, before its partition looked.
    EndedEarly,
    LeftMemory,
    StoppedByFailure,
    RecoveredWithCommandsWaiting,
    WindowWaited,
    ActedAfterCommit,
    ActedAfterTimeout,
    // recovery
    Recovered,
    ReadFailed,
    ReadAhead,
    /// Commands of a durable state were read that had not come with it.
    OlderCommandsRead,
    SnapshotTaken,
    SnapshotUsed,
    SnapshotLost,
    SnapshotLate,
    SnapshotUnreadable,
    EventsDeleted,
    EntityLost,
    // those who read
    SegmentClaimed,
    /// A segment was claimed that was another runner's.
    SegmentTakenOver,
    /// A claim came behind that of another runner, or its owner has renewed.
    ClaimRefused,
    ClaimUnanswered,
    SegmentGivenBack,
    SegmentStopped,
    RoundFailed,
    /// A runner has broken everything off, since it could not renew.
    LeaseLapsed,
    RunnerCrashed,
    RunnerFrozen,
    RunnerLeft,
    /// A task was broken off while it handled a batch.
    DiedInBatch,
    PageUnread,
    AnnouncementLost,
    /// Who asked how far the journal goes has learned of events that were not announced.
    HeadsPolled,
    TargetAway,
    HandlerFailed,
    SaveFailed,
    SaveUnknownButKept,
    SaveUnknownAndNot,
    SaveLate,
    /// A save came behind the next claim of its segment, and was refused.
    SaveTooLate,
    /// A runner that was replaced has tried to save.
    SaveRefused,
    /// A runner that was replaced while it handled a batch has tried to keep it.
    BatchRefused,
    // the projection gets other segments
    Divided,
    Merged,
    SegmentLevelled,
    /// A segment was taken from a dead owner, so that it can be divided.
    ReleasedToDivide,
    DividerCrashed,
    /// A consumer got an event again.
    Redelivered,
    LetterKept,
    LetterReplayed,
    LetterDiscarded,
    EntityParked,
    HeldBack,
    ParkedReplayed,
    ParkedDiscarded,
    ReplayFailed,
    Paused,
    Rewound,
    AllRead,
}

/// What runs have met, and how often: a run that has met little has proven little.
#[derive(Clone, Debug)]
pub struct Coverage {
    counts: Vec<u64>,
    /// How many steps were taken.
    pub steps: u64,
}

impl Default for Coverage {
    fn default() -> Self {
        Self { counts: vec![0; ALL.len()], steps: 0 }
    }
}

impl Coverage {
    pub(crate) fn saw(&mut self, seen: Seen) {
        self.counts[seen as usize] += 1;
    }

    pub(crate) fn count(&self, seen: Seen) -> u64 {
        self.counts[seen as usize]
    }

    /// Adds what another run has met.
    pub fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.steps += other.steps;
    }

    /// What was seen less than `least` times.
    #[must_use]
    pub fn missing(&self, least: u64) -> Vec<String> {
        let rare = ALL.iter().filter(|seen| self.counts[**seen as usize] < least);
        rare.map(|seen| format!("{seen:?}")).collect()
    }

    /// A line for each.
    #[must_use]
    pub fn table(&self) -> String {
        let lines = ALL.iter().map(|seen| {
            let (name, count) = (format!("{seen:?}"), self.counts[*seen as usize]);
            format!("  {name:<30}{count:>10}\n")
        });
        lines.collect()
    }
}
