//! What the members of a cluster say of themselves in the table of members.

mod description;
mod note;

pub use description::MemberDescription;
pub(crate) use note::MemberNote;
