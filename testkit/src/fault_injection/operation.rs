/// What a store is asked to do; faults are scripted for one of these each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// [`EventStore::append`](actum_persistence::store::EventStore::append).
    Append,
    /// [`EventStore::resolve`](actum_persistence::store::EventStore::resolve).
    Resolve,
    /// [`EventStore::read_entities`](actum_persistence::store::EventStore::read_entities).
    ReadEntities,
    /// [`EventStore::read_lane`](actum_persistence::store::EventStore::read_lane).
    ReadLane,
    /// [`EventStore::read_backward`](actum_persistence::store::EventStore::read_backward).
    ReadBackward,
    /// [`EventStore::list_entities`](actum_persistence::store::EventStore::list_entities).
    ListEntities,
    /// [`EventStore::kinds`](actum_persistence::store::EventStore::kinds).
    ListKinds,
    /// [`DurableStateStore::list_states`](actum_persistence::store::DurableStateStore::list_states).
    ListStates,
    /// [`DurableStateStore::read_changes`](actum_persistence::store::DurableStateStore::read_changes).
    ReadChanges,
    /// [`DurableStateStore::change_heads`](actum_persistence::store::DurableStateStore::change_heads).
    ChangeHeads,
    /// [`EventStore::heads`](actum_persistence::store::EventStore::heads).
    Heads,
    /// [`EventStore::prune_events`](actum_persistence::store::EventStore::prune_events).
    DeleteEvents,
    /// [`RecoveryStore::recover`](actum_persistence::store::RecoveryStore::recover).
    Recover,
    /// [`SnapshotStore::save`](actum_persistence::store::SnapshotStore::save).
    SaveSnapshots,
    /// [`SnapshotStore::load`](actum_persistence::store::SnapshotStore::load).
    LoadSnapshot,
    /// [`SnapshotStore::list`](actum_persistence::store::SnapshotStore::list).
    ListSnapshots,
    /// [`SnapshotStore::prune_snapshots`](actum_persistence::store::SnapshotStore::prune_snapshots).
    DeleteSnapshots,
    /// [`DurableStateStore::write`](actum_persistence::store::DurableStateStore::write).
    WriteStates,
    /// [`DurableStateStore::resolve`](actum_persistence::store::DurableStateStore::resolve).
    ResolveStates,
    /// [`DurableStateStore::load`](actum_persistence::store::DurableStateStore::load).
    LoadStates,
    /// [`EventStore::has_events_of`](actum_persistence::store::EventStore::has_events_of).
    HasEventsOf,
    /// [`DurableStateStore::has_states_of`](actum_persistence::store::DurableStateStore::has_states_of).
    HasStatesOf,
    /// [`DurableStateStore::command_records`](actum_persistence::store::DurableStateStore::command_records) and
    /// [`commands_before`](actum_persistence::store::DurableStateStore::commands_before).
    ReadCommands,
    /// [`WriterStore::claim`](actum_persistence::store::WriterStore::claim).
    Claim,
    /// [`WriterStore::renew`](actum_persistence::store::WriterStore::renew).
    Renew,
    /// [`WriterStore::release`](actum_persistence::store::WriterStore::release).
    Release,
    /// [`WriterStore::revoke`](actum_persistence::store::WriterStore::revoke).
    Revoke,
    /// [`MemberStore::join`](actum_persistence::members::MemberStore::join).
    JoinCluster,
    /// [`MemberStore::read_members`](actum_persistence::members::MemberStore::read_members).
    ReadMembers,
    /// [`MemberStore::renew_member`](actum_persistence::members::MemberStore::renew_member).
    RenewMember,
    /// [`MemberStore::claim_partitions`](actum_persistence::members::MemberStore::claim_partitions).
    ClaimPartitions,
    /// [`MemberStore::release_partitions`](actum_persistence::members::MemberStore::release_partitions).
    ReleasePartitions,
    /// [`MemberStore::revoke_member`](actum_persistence::members::MemberStore::revoke_member).
    RevokeMember,
    /// [`MemberStore::leave`](actum_persistence::members::MemberStore::leave).
    LeaveCluster,
    /// [`ProgressStore::enter`](actum_persistence::progress::ProgressStore::enter).
    EnterProjection,
    /// [`ProgressStore::load`](actum_persistence::progress::ProgressStore::load) and
    /// [`load_all`](actum_persistence::progress::ProgressStore::load_all).
    LoadProjection,
    /// [`ProgressStore::projections`](actum_persistence::progress::ProgressStore::projections).
    ListProjections,
    /// [`ProgressStore::activate`](actum_persistence::progress::ProgressStore::activate).
    ActivateProjection,
    /// [`ProgressStore::delete`](actum_persistence::progress::ProgressStore::delete).
    DeleteProjection,
    /// [`ProgressStore::set_paused`](actum_persistence::progress::ProgressStore::set_paused).
    PauseProjection,
    /// [`ProgressStore::renew`](actum_persistence::progress::ProgressStore::renew) and
    /// [`renew_and_load`](actum_persistence::progress::ProgressStore::renew_and_load).
    RenewRunner,
    /// [`ProgressStore::leave`](actum_persistence::progress::ProgressStore::leave).
    LeaveRunner,
    /// [`ProgressStore::claim`](actum_persistence::progress::ProgressStore::claim).
    ClaimSegment,
    /// [`ProgressStore::release`](actum_persistence::progress::ProgressStore::release).
    ReleaseSegment,
    /// [`ProgressStore::stop`](actum_persistence::progress::ProgressStore::stop).
    StopSegment,
    /// [`ProgressStore::change`](actum_persistence::progress::ProgressStore::change).
    ChangeProgress,
    /// [`ProgressStore::divide`](actum_persistence::progress::ProgressStore::divide).
    DivideSegments,
    /// [`ProgressStore::parked`](actum_persistence::progress::ProgressStore::parked).
    ListParked,
    /// [`ProgressStore::request`](actum_persistence::progress::ProgressStore::request).
    RequestParked,
    /// [`ProgressStore::dead_letters`](actum_persistence::progress::ProgressStore::dead_letters).
    ListLetters,
    /// [`ProgressStore::request_letter`](actum_persistence::progress::ProgressStore::request_letter).
    RequestLetter,
    /// [`ProgressStore::discard_letter`](actum_persistence::progress::ProgressStore::discard_letter).
    DiscardLetter,
    /// [`ExactTarget::begin`](actum_persistence::progress::ExactTarget::begin).
    BeginTransaction,
    /// [`ExactTarget::commit`](actum_persistence::progress::ExactTarget::commit).
    CommitTransaction,
}

impl Operation {
    /// What stores what happened: [`Append`](Self::Append) and [`WriteStates`](Self::WriteStates).
    pub const WRITES: [Self; 2] = [Self::Append, Self::WriteStates];
    /// What settles a write whose outcome is unknown.
    pub const RESOLVES: [Self; 2] = [Self::Resolve, Self::ResolveStates];
    /// What an entity recovers by.
    pub const RECOVERIES: [Self; 3] = [Self::Recover, Self::ReadEntities, Self::LoadStates];
    /// What a consumer of the journal reads by.
    pub const CONSUMPTION: [Self; 2] = [Self::ReadLane, Self::Heads];
    /// What a consumer of changes of durable states reads by.
    pub const CHANGES: [Self; 2] = [Self::ReadChanges, Self::ChangeHeads];
    /// What those ask for who look at the journal by entity.
    pub const SEARCHES: [Self; 4] =
        [Self::ReadBackward, Self::ListEntities, Self::ListKinds, Self::ListStates];
    /// What an engine asks for when it starts.
    pub const STARTS: [Self; 2] = [Self::HasEventsOf, Self::HasStatesOf];
    /// What is done with snapshots.
    pub const SNAPSHOTS: [Self; 4] =
        [Self::SaveSnapshots, Self::LoadSnapshot, Self::ListSnapshots, Self::DeleteSnapshots];
    /// What a node of a cluster asks for.
    pub const MEMBERS: [Self; 7] = [
        Self::JoinCluster,
        Self::ReadMembers,
        Self::RenewMember,
        Self::ClaimPartitions,
        Self::ReleasePartitions,
        Self::RevokeMember,
        Self::LeaveCluster,
    ];
    /// What is done with the progress of projections.
    pub const PROGRESS: [Self; 18] = [
        Self::EnterProjection,
        Self::LoadProjection,
        Self::ListProjections,
        Self::ActivateProjection,
        Self::DeleteProjection,
        Self::PauseProjection,
        Self::RenewRunner,
        Self::LeaveRunner,
        Self::ClaimSegment,
        Self::ReleaseSegment,
        Self::StopSegment,
        Self::ChangeProgress,
        Self::DivideSegments,
        Self::ListParked,
        Self::RequestParked,
        Self::ListLetters,
        Self::RequestLetter,
        Self::DiscardLetter,
    ];
    /// What is done with transactions that hold rows of projections and their progress.
    pub const TRANSACTIONS: [Self; 2] = [Self::BeginTransaction, Self::CommitTransaction];
}
