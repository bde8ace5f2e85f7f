use super::*;
use actum_host::Load;
use actum_model::{EntityKey, Partition, Position, StoredPayload, Timestamp};
use actum_persistence::store::NewEvent;
use bytes::Bytes;
use fastrand::Rng;
use std::{collections::HashSet, sync::Arc};

const BYTES_MAX: usize = 1 << 40;

/// Callers are numbers here; a journal that fails now and then answers what is submitted.
struct Model {
    rng: Rng,
    lines: StreamLines<u64>,
    load: Arc<Load>,
    streams: Vec<(EntityKey, SequenceNr)>,
    submitted: Vec<Submission>,
    /// Which append each caller waits for, and of which stream; until its answer or its end.
    waiting: HashMap<u64, usize>,
    /// Callers that have left an append which was not sent.
    unsent: HashSet<u64>,
    answered: HashSet<u64>,
    /// How many are known to be stored.
    stored: u64,
    successes: u64,
    entered: u64,
}

impl Model {
    fn new(seed: u64) -> Self {
        let key = |id: &str| EntityKey::new("ledger", id).expect("a key");
        Self {
            rng: Rng::with_seed(seed),
            lines: StreamLines::new(),
            load: Arc::new(Load::new(1000, 1, BYTES_MAX)),
            streams: ["a", "b", "c"].map(|id| (key(id), SequenceNr::ZERO)).into(),
            submitted: Vec::new(),
            waiting: HashMap::new(),
            unsent: HashSet::new(),
            answered: HashSet::new(),
            stored: 0,
            successes: 0,
            entered: 0,
        }
    }

    fn step(&mut self) {
        match self.rng.u32(..100) {
            0..45 => self.enter(),
            45..80 => self.settle(),
            80..88 => self.leave(),
            88..98 => {
                let at = self.rng.usize(..self.streams.len());
                let (_, head) = &mut self.streams[at]; // a foreign writer
                *head = head.next();
            }
            98 => {
                let answers = self.lines.give_up_waiting(&GivenUp::because("x"));
                self.take(answers);
            }
            _ => {
                let answers = self.lines.give_up_sent(&GivenUp::because("x"));
                self.take(answers);
            }
        }
    }

    fn enter(&mut self) {
        let at = self.rng.usize(..self.streams.len());
        let (stream, head) = self.streams[at].clone();
        let expected = match self.rng.u32(..4) {
            0 => Expected::Any,
            1 => Expected::Nr(SequenceNr::new(self.rng.u64(..=head.get() + 1))),
            _ => Expected::Nr(head),
        };
        let event = NewEvent {
            timestamp: Timestamp::default(),
            payload: StoredPayload {
                codec: "json".into(),
                manifest: "booked".into(),
                schema_version: 1,
                bytes: Bytes::from_static(b"1"),
            },
            metadata: Bytes::new(),
        };
        let append = StreamAppend {
            stream,
            partition: Partition::new(0),
            lane: Lane::default(),
            expected,
            seen_at: SequenceNr::new(self.rng.u64(..=head.get())),
            events: vec![event; self.rng.usize(1..4)],
        };
        let mut room = AppendRoom::admit(&self.load).expect("there is room");
        room.stage(append.room(), 0).expect("there is room");
        let (nr, submission) = self.lines.enter(append, self.entered, room);
        assert_eq!(nr, self.entered, "numbers count up");
        self.waiting.insert(nr, at);
        self.entered += 1;
        self.submit(submission);
    }

    fn submit(&mut self, submission: Option<Submission>) {
        let Some(submission) = submission else { return };
        let stream = &submission.write.entity;
        let under_way = self.submitted.iter().any(|other| other.write.entity == *stream);
        assert!(!under_way, "{stream} has two appends under way");
        assert!(!self.unsent.contains(&submission.nr), "its caller knows that it is not sent");
        assert!(!submission.write.events.is_empty());
        self.submitted.push(submission);
    }

    fn settle(&mut self) {
        if self.submitted.is_empty() {
            return;
        }
        let at = self.rng.usize(..self.submitted.len());
        let Submission { nr, write, .. } = self.submitted.swap_remove(at);
        let stream = self.streams.iter_mut().find(|(key, _)| *key == write.entity);
        let (_, head) = stream.expect("it is one of them");
        let fault = self.rng.u32(..10);
        let is_stored = fault < 8 && write.expected == *head;
        if is_stored {
            *head = write.last_sequence_nr();
        }
        let result = match fault {
            0..7 if is_stored => {
                self.stored += 1;
                Ok(Committed { last: Some(Position::new(self.stored)) })
            }
            0..7 => Err(CommitError::Conflict { actual: *head }),
            7 | 8 => Err(StoreError::outcome_unknown("x", "y").into()), // the first one may be stored
            _ => Err(StoreError::invalid("x").into()),
        };
        let (answers, next) = self.lines.settled(nr, result);
        self.take(answers);
        self.submit(next);
    }

    fn leave(&mut self) {
        let left = self.waiting.keys().copied().min_by_key(|nr| nr ^ self.entered);
        let Some((nr, at)) = left.and_then(|nr| self.waiting.remove_entry(&nr)) else { return };
        if self.lines.leave(&self.streams[at].0, nr) {
            assert!(!self.submitted.iter().any(|sent| sent.nr == nr));
            self.unsent.insert(nr);
        }
    }

    fn take(&mut self, answers: AppendAnswers<u64>) {
        for (caller, answer) in answers {
            assert!(self.answered.insert(caller), "{caller} is answered twice");
            let at = self.waiting.remove(&caller).expect("one that has left is not answered");
            match answer {
                Ok(receipt) => {
                    assert!(receipt.sequence_nr <= self.streams[at].1);
                    self.successes += 1;
                }
                Err(AppendError::Conflict { expected, actual }) => {
                    assert!(expected != actual && actual <= self.streams[at].1);
                }
                Err(_) => {}
            }
        }
    }
}

#[test]
fn each_caller_is_answered_once_and_each_stream_has_one_append_under_way() {
    let base = fastrand::u64(..);
    let mut successes = 0;
    for seed in (0..200).map(|nr| base.wrapping_add(nr)) {
        eprintln!("seed {seed}");
        let mut model = Model::new(seed);
        for _ in 0..300 {
            model.step();
        }
        while !model.submitted.is_empty() {
            model.settle();
        }
        assert!(model.waiting.is_empty(), "these wait for ever: {:?}", model.waiting);
        assert!(model.lines.is_empty() && model.lines.sent.is_empty());
        assert_eq!(model.load.commands(), 0);
        assert_eq!(model.load.room(0), BYTES_MAX, "all bytes are given back");
        assert!(model.successes <= model.stored, "what is a success is stored");
        successes += model.successes;
    }
    assert!(successes > 200, "most of them succeed");
}
