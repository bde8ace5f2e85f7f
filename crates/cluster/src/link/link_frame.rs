//! Frames as bytes.

use super::LinkViolation;
use actum_proto::link::v1::{LinkFrame, link_frame::Content};
use bytes::Bytes;
use prost::Message;

/// The version of what is said on links.
pub(super) const PROTOCOL_VERSION: u32 = 1;

/// A frame as bytes: what was taken of the peer, and what is said.
pub(super) fn encode(taken_through: u64, content: Option<Content>) -> Bytes {
    LinkFrame { taken_through, content }.encode_to_vec().into()
}

/// A frame that a peer has sent. Its messages are slices of it, not copies.
pub(super) fn decode(frame: Bytes) -> Result<LinkFrame, LinkViolation> {
    LinkFrame::decode(frame).map_err(|error| LinkViolation::Unreadable(error.to_string()))
}
