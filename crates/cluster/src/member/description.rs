use actum_persistence::members::MemberRow;
use actum_placement::assignment::{AppVersion, Candidate};
use actum_proto::wire::v1;
use bytes::Bytes;
use prost::Message;
use std::num::NonZeroU32;

/// What a node says of itself when it joins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberDescription {
    /// Where peers reach it: a host and a port.
    pub address: String,
    /// The version of the application it runs.
    pub version: AppVersion,
    /// How much it takes beside others.
    pub weight: NonZeroU32,
    /// Whether it owns no partitions, and only sends commands to those that do.
    pub routes_only: bool,
    /// The kinds of entities it runs, in alphabetical order.
    pub kinds: Vec<String>,
}

impl MemberDescription {
    pub(crate) fn new(address: String) -> Self {
        let (version, weight) = (AppVersion::default(), NonZeroU32::MIN);
        Self { address, version, weight, routes_only: false, kinds: Vec::new() }
    }

    /// What the table keeps of it.
    pub(crate) fn to_bytes(&self) -> Bytes {
        let AppVersion { major, minor, patch } = self.version;
        let description = v1::MemberDescription {
            address: self.address.clone(),
            version: Some(v1::ApplicationVersion { major, minor, patch }),
            weight: self.weight.get(),
            routes_only: self.routes_only,
            kinds: self.kinds.clone(),
        };
        description.encode_to_vec().into()
    }

    /// What a member has said of itself; a part that cannot be read counts as not given. A member that cannot be read at all
    /// has no address, and owns nothing.
    pub(crate) fn of_member(row: &MemberRow) -> Self {
        let Ok(description) = v1::MemberDescription::decode(row.description.clone()) else {
            return Self { routes_only: true, ..Self::new(String::new()) };
        };
        let v1::ApplicationVersion { major, minor, patch } =
            description.version.unwrap_or_default();
        Self {
            address: description.address,
            version: AppVersion::new(major, minor, patch),
            weight: NonZeroU32::new(description.weight).unwrap_or(NonZeroU32::MIN),
            routes_only: description.routes_only,
            kinds: description.kinds,
        }
    }

    /// What the assignment sees of the member of this row.
    pub(crate) fn candidate(&self, row: &MemberRow, is_leaving: bool) -> Candidate {
        Candidate {
            incarnation: row.incarnation,
            weight: self.weight,
            version: self.version,
            is_leaving,
            is_eligible: !self.routes_only,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_persistence::store::{Incarnation, Renewal};

    fn row(description: Bytes) -> MemberRow {
        MemberRow::new(Incarnation::new(1), "a".into(), description, Renewal::new(1))
    }

    #[test]
    fn what_a_member_says_comes_back() {
        let description = MemberDescription {
            version: AppVersion::new(1, 2, 3),
            weight: NonZeroU32::new(4).unwrap(),
            routes_only: true,
            kinds: vec!["account".into(), "customer".into()],
            ..MemberDescription::new("10.0.0.7:7400".into())
        };
        assert_eq!(MemberDescription::of_member(&row(description.to_bytes())), description);
    }

    #[test]
    fn a_member_that_cannot_be_read_owns_nothing() {
        let row = row(Bytes::from_static(&[0xff; 9]));
        let description = MemberDescription::of_member(&row);
        assert!(description.address.is_empty() && !description.candidate(&row, false).is_target());
    }
}
