//! Holders of writer slots, as the table of writers has them.
//!
//! It has no column for the length of a lease. That is kept in the text that describes the holder, behind what the
//! holder says of itself: claimants need it, and people may read it.

use crate::row::{Row, column};
use actum_persistence::store::{
    ClaimError, HeldLease, Incarnation, Renewal, SeenHolder, WriterClaim,
};
use std::time::Duration;

const LEASE: &str = "; lease of ";
const UNIT: &str = " us";

/// A lease that is longer is cut: its end must be a time that the server knows.
const LEASE_MAX: Duration = Duration::from_secs(1_000_000_000);

/// The incarnations that keep a claimant out, which are the holders of its slot and of its rivals, the oldest first; and their
/// leases, by the clock of the server. A holder of a rival slot that is a member of a cluster renews its membership.
///
/// Two renewals of one incarnation do not end at the same microsecond, so the end of the lease distinguishes them,
/// whatever it means by any clock.
pub(crate) const KEEPERS_OF: &str = "SELECT w.incarnation, w.holder,
        coalesce(m.renewal, (extract(epoch FROM w.lease_until) * 1000000)::bigint),
        (extract(epoch FROM w.lease_until - clock_timestamp()) * 1000000)::bigint,
        w.slot, CASE WHEN m.renewal IS NOT NULL THEN (SELECT c.lease_millis FROM @cluster AS c) END
    FROM @writers AS w LEFT JOIN @members AS m ON m.incarnation = w.incarnation AND w.slot <> $1
    WHERE (w.slot = $1 OR w.slot >= $2 AND w.slot < $3) AND w.revoked_at IS NULL
    ORDER BY w.incarnation";

/// Revokes an incarnation; only if it has not been renewed since, where the second argument says which renewal that
/// was.
pub(crate) const REVOCATION: &str = "UPDATE @writers SET revoked_at = clock_timestamp()
    WHERE incarnation = $1 AND revoked_at IS NULL
        AND ($2::bigint IS NULL OR (extract(epoch FROM lease_until) * 1000000)::bigint = $2)
    RETURNING incarnation";

/// Who holds a slot.
pub(crate) struct Holder {
    pub(crate) incarnation: i64,
    pub(crate) renewal: i64,
    /// Whether that is the renewal of its membership in a cluster.
    pub(crate) is_member: bool,
    slot: String,
    name: String,
    length: Option<Duration>,
    expires_in: Duration,
}

impl Holder {
    /// Reads a row of an answer to [`KEEPERS_OF`].
    pub(crate) fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let (name, length) = split(column(row, 1)?);
        let left: i64 = column(row, 3)?;
        let membership: Option<i64> = column(row, 5)?;
        let of_member = membership.map(|millis| Duration::from_millis(millis.cast_unsigned()));
        Ok(Self {
            incarnation: column(row, 0)?,
            renewal: column(row, 2)?,
            is_member: of_member.is_some(),
            slot: column(row, 4)?,
            name,
            length: of_member.or(length),
            // no clock says when a membership ends
            expires_in: of_member
                .unwrap_or(Duration::from_micros(u64::try_from(left).unwrap_or(0))),
        })
    }

    /// The holder as a claimant has seen it.
    pub(crate) fn seen(&self) -> SeenHolder {
        SeenHolder {
            incarnation: Incarnation::new(self.incarnation.cast_unsigned()),
            renewal: Renewal::new(self.renewal),
        }
    }

    /// Why a claim is refused.
    pub(crate) fn refuses(self) -> ClaimError {
        let SeenHolder { incarnation, renewal } = self.seen();
        let Self { slot, name, length, expires_in, .. } = self;
        let lease = Some(HeldLease::new(renewal, length, expires_in));
        ClaimError::Held { slot, holder: name, incarnation, lease }
    }
}

/// The lease in microseconds.
pub(crate) fn micros(lease: Duration) -> f64 {
    lease.min(LEASE_MAX).as_secs_f64() * 1e6
}

/// What the table keeps of who claims.
pub(crate) fn described(claim: &WriterClaim) -> String {
    format!("{}{LEASE}{}{UNIT}", claim.holder, claim.lease.min(LEASE_MAX).as_micros())
}

/// The holder's own words, and the length of its lease if that is there.
fn split(mut described: String) -> (String, Option<Duration>) {
    let length = described.rsplit_once(LEASE).and_then(|(holder, length)| {
        let micros = length.strip_suffix(UNIT)?.parse().ok()?;
        Some((holder.len(), Duration::from_micros(micros)))
    });
    if let Some((end, _)) = length {
        described.truncate(end);
    }
    (described, length.map(|(_, length)| length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(holder: &str, lease: Duration) -> WriterClaim {
        WriterClaim { slot: "journal".into(), holder: holder.into(), lease, replaces: None }
    }

    #[test]
    fn a_description_gives_back_the_holder_and_its_lease() {
        let odd = described(&claim("odd", Duration::ZERO));
        for holder in ["", "engine `bank`, process 7", "a; lease of 3", "; lease of  us", &odd] {
            for micros in [0, 1, 10_000_000, 86_400_000_000] {
                let lease = Duration::from_micros(micros);
                let (name, length) = split(described(&claim(holder, lease)));
                assert_eq!((&*name, length), (holder, Some(lease)));
            }
        }
        let (_, longest) = split(described(&claim("for ever", Duration::MAX)));
        assert_eq!(longest, Some(LEASE_MAX));
    }

    #[test]
    fn what_was_described_without_a_lease_is_taken_as_it_is() {
        for holder in ["", "engine `bank`, process 7", "a; lease of", "a; lease of -1 us"] {
            let (name, lease) = split(String::from(holder));
            assert_eq!((&*name, lease), (holder, None));
        }
    }
}
