//! How a lane's writer names the appends of streams among those of entities.

use actum_host::cell::Ticket;

/// The kind in the tickets of streams: no entity has it, since there are fewer kinds.
const STREAMS: u16 = u16::MAX;

/// The ticket of append `nr`.
pub(super) fn ticket_of(nr: u64) -> Ticket {
    let [a, b, c, d, e, f, g, h] = nr.to_be_bytes();
    let (generation, slot) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
    Ticket { kind: STREAMS, slot, generation }
}

/// Whether it is the ticket of an append to a stream.
pub(crate) fn is_of_stream(ticket: Ticket) -> bool {
    ticket.kind == STREAMS
}

/// Which append to a stream it is the ticket of.
pub(super) fn nr_of(ticket: Ticket) -> u64 {
    u64::from(ticket.generation) << 32 | u64::from(ticket.slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_keeps_its_number_whole() {
        for nr in [0, 1, u64::from(u32::MAX), 1 << 32, 0x0123_4567_89ab_cdef, u64::MAX] {
            let ticket = ticket_of(nr);
            assert!(is_of_stream(ticket));
            assert_eq!(nr_of(ticket), nr);
        }
        assert!(!is_of_stream(Ticket { kind: STREAMS - 1, slot: 0, generation: 0 }));
    }
}
