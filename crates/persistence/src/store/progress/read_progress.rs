use super::super::{EventId, Incarnation};
use actum_model::{Lane, Offset, Position};
use std::{fmt, str::FromStr};

/// How far a segment has come, and which events it met last: a journal in which another event is at that place is not the
/// one that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadProgress {
    offset: Offset,
    last: Box<[Option<LastRead>]>,
}

/// The last event that was read of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRead {
    /// Its place.
    pub position: Position,
    /// Its name.
    pub event_id: EventId,
}

impl ReadProgress {
    /// What begins behind `offset`, and has read nothing so far.
    #[must_use]
    pub fn behind(offset: Offset) -> Self {
        let last = vec![None; offset.positions().len()].into();
        Self { offset, last }
    }

    /// How far it has come.
    #[must_use]
    pub fn offset(&self) -> &Offset {
        &self.offset
    }

    /// The last event it met in `lane`, if it has met one since it began there.
    #[must_use]
    pub fn last(&self, lane: Lane) -> Option<LastRead> {
        self.last.get(lane.index()).copied().flatten()
    }

    /// Has read `lane` up to `position`, never back.
    ///
    /// # Panics
    /// When the journal does not have the lane.
    pub fn advance(&mut self, lane: Lane, position: Position) {
        self.offset.advance(lane, position);
    }

    /// Has met this event.
    ///
    /// # Panics
    /// When the journal does not have the lane.
    pub fn met(&mut self, lane: Lane, event: LastRead) {
        self.offset.advance(lane, event.position);
        let last = &mut self.last[lane.index()];
        if last.is_none_or(|last| last.position < event.position) {
            *last = Some(event);
        }
    }
}

/// How it is stored: lanes by commas, in each the position and, if an event was met, its position and id: `17,40:38@2-917`.
impl fmt::Display for ReadProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (lane, (position, last)) in self.offset.positions().iter().zip(&self.last).enumerate() {
            if lane > 0 {
                f.write_str(",")?;
            }
            write!(f, "{position}")?;
            if let Some(LastRead { position, event_id }) = last {
                write!(f, ":{position}@{event_id}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for ReadProgress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let damaged = || format!("`{text}` is not the progress of a projection");
        let (mut positions, mut lasts) = (Vec::new(), Vec::new());
        for lane in text.split(',') {
            let (position, last) =
                lane.split_once(':').map_or((lane, None), |(p, last)| (p, Some(last)));
            positions.push(Position::new(position.parse().map_err(|_| damaged())?));
            let last = last.map(|last| last_read(last).ok_or_else(damaged)).transpose()?;
            lasts.push(last);
        }
        Ok(Self { offset: Offset::of_positions(positions), last: lasts.into() })
    }
}

/// `38@2-917`
fn last_read(text: &str) -> Option<LastRead> {
    let (position, event_id) = text.split_once('@')?;
    let (incarnation, nr) = event_id.split_once('-')?;
    let incarnation = Incarnation::new(incarnation.parse().ok()?);
    let event_id = EventId { incarnation, nr: nr.parse().ok()? };
    Some(LastRead { position: Position::new(position.parse().ok()?), event_id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::LaneCount;

    fn last(position: u64, nr: u64) -> LastRead {
        let event_id = EventId { incarnation: Incarnation::new(2), nr };
        LastRead { position: Position::new(position), event_id }
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let mut progress = ReadProgress::behind(Offset::beginning(LaneCount::new(3).unwrap()));
        assert_eq!(progress.to_string(), "0,0,0");
        progress.met(Lane::new(1), last(38, 917));
        progress.advance(Lane::new(1), Position::new(40));
        progress.advance(Lane::new(2), Position::new(u64::MAX));
        assert_eq!(progress.to_string(), "0,40:38@2-917,18446744073709551615");
        assert_eq!(progress.to_string().parse(), Ok(progress));
    }

    #[test]
    fn neither_the_offset_nor_the_last_event_regresses() {
        let mut progress = ReadProgress::behind(Offset::beginning(LaneCount::default()));
        progress.met(Lane::new(0), last(38, 917));
        progress.met(Lane::new(0), last(37, 916));
        progress.advance(Lane::new(0), Position::new(3));
        assert_eq!(progress.to_string(), "38:38@2-917");
        assert_eq!(progress.last(Lane::new(7)), None);
    }

    #[test]
    fn damage_is_named() {
        for text in [
            "",
            ",",
            "1,",
            "-1",
            "1:",
            "1:2",
            "1:2@",
            "1:2@3",
            "1:2@3-",
            "1:2@3-4-5",
            "1 ,2",
            "1:2:3",
        ] {
            let read: Result<ReadProgress, _> = text.parse();
            assert_eq!(read, Err(format!("`{text}` is not the progress of a projection")));
        }
    }
}
