//! Which members have failed, as one of them sees it: a pure machine that is shown the member table, what the links report
//! and the own renewals, and decides whom to suspect, whom to revoke, and whether the own lease still holds. Time is the
//! own monotonic clock, as the time since some start.
//!
//! ```text
//! renewal of a member      |<------------- its lease, by its own clock ------------->|
//! another one sees it          |<- lease and grace, by the clock of the one that sees it ->| it is silent
//! ```
//! **Silent.** A renewal that changes proves that its member was alive. One that has not changed for a lease, and a grace,
//! by the own clock, is that of a member that does not rely on its lease any more: it is revoked, whatever its links
//! report, since no one serves its partitions meanwhile. What counts is a read that was begun after that time: an answer
//! that is old proves nothing.
//!
//! **Refused.** A process that was killed is found sooner: its host refuses connections. That alone proves little. A
//! listener may have gone first, and the one that is refused may itself be cut off. So a member is *suspected* when it has
//! been refused for a while, and has not renewed since; each member publishes whom it suspects, beside its renewal. It is
//! revoked before its lease ends when
//!
//! * two observers suspect it, or the only other one does that could, and has renewed its own lease since it suspects it;
//! * it is not leaving: who shuts down closes its listener;
//! * it has not renewed: a suspicion names the renewal that was seen, and with the next one it is over, and so is a
//!   revocation;
//! * the observer is not the suspect itself: it is refused by several members, and by more than it hears of.
//!
//! Who refuses another one, or is suspected, renews more often meanwhile. So two that are alive, and between which a
//! firewall refuses connections, keep showing each other that they live, and both stay.
//!
//! **Not heard of.** What is only silent on a link is never suspected: a member that is slow, one that is stopped, and one
//! behind a network that drops packets look alike, and while it renews it is not expelled. So members that cannot reach
//! each other and both reach the database stay.
//!
//! **The database was away.** Those who could not renew have not failed. An observer that had no answer for more than half
//! a lease revokes no one for one lease, and a grace, from the next answer on. That holds for outages longer than a lease
//! in any case. A shorter one is made up for by those who renew a third of a lease apart: they are back before they are
//! silent. An observer that was stopped itself, or has just joined, cannot tell, and waits as well.
//!
//! **The own lease** counts from when a renewal was begun. One that has lapsed suspends the member until it has renewed,
//! and it decides about no one. A member that is not in the table any more was revoked.
//!
//! # Bounds
//! A member that does not renew any more is revoked within a lease and its grace, 750 ms and the time of two reads after
//! its last renewal, as long as another one reaches the database, and has done so for one lease. One that was killed is
//! revoked within a second, if it is one of two, or two others find it refused; half of the members, or more, that are
//! killed at once are revoked when their leases end.

mod failure_decision;
mod failure_detector;
mod failure_settings;
mod link_report;
mod observed_member;
mod peer_links;
mod seen_members;

pub use failure_decision::{FailureDecision, FailureEvidence, MemberFailure, OwnMembership};
pub use failure_detector::FailureDetector;
pub use failure_settings::FailureSettings;
pub use link_report::LinkReport;
pub use observed_member::ObservedMember;
