//! A link that is sent what no node sends: frames of the corpus, and what random changes make of them.

use crate::{
    link::{
        LinkReport, LinkSettings, LinkSink,
        link::Link,
        link_frame::{PROTOCOL_VERSION, decode},
    },
    transport::{PeerConnection, PeerNode},
};
use actum_persistence::store::Incarnation;
use actum_proto::link::v1::Hello;
use bytes::Bytes;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::time::Instant;

const CORPUS: &str = include_str!("../../../corpus/frames.hex");

/// The longest message that the link takes.
const LONGEST: usize = 100_000;

/// How many links are sent frames, and the first of their seeds.
fn runs() -> (u64, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    let seed = number("ACTUM_CLUSTER_FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..));
    (seed, number("ACTUM_CLUSTER_FUZZ_RUNS").unwrap_or(2_000))
}

fn corpus() -> Vec<Vec<u8>> {
    let lines = CORPUS.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let digits: Vec<_> = line.chars().filter_map(|digit| digit.to_digit(16)).collect();
            digits.chunks_exact(2).map(|two| (two[0] << 4 | two[1]) as u8).collect()
        })
        .collect()
}

/// Changes a frame a little, or joins two.
fn changed(random: &mut fastrand::Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let one = |random: &mut fastrand::Rng| corpus[random.usize(..corpus.len())].clone();
    let mut frame = one(random);
    for _ in 0..random.usize(..3) {
        let place = random.usize(..=frame.len());
        match random.u8(..5) {
            0 => frame.truncate(place),
            1 => frame.insert(place, random.u8(..)),
            2 if place < frame.len() => frame[place] ^= 1 << random.u8(..8),
            3 if place < frame.len() => frame[place] = random.u8(..),
            _ => frame.extend(one(random)),
        }
    }
    frame
}

#[derive(Debug)]
struct Silent;

impl PeerConnection for Silent {
    fn send(&self, frame: Bytes) -> bool {
        decode(frame).expect("what is sent can be decoded");
        true
    }

    fn close(&self) {}
}

/// Counts the bytes that arrive.
#[derive(Default)]
struct Counting(AtomicUsize);

impl LinkSink for Counting {
    fn received(&self, _from: Incarnation, message: Bytes) {
        assert!(message.len() <= LONGEST);
        self.0.fetch_add(message.len(), Ordering::Relaxed);
    }

    fn not_sent(&self, _to: Incarnation, _tickets: Vec<u64>) {}
    fn lost(&self, _to: Incarnation) {}
    fn reported(&self, _peer: Incarnation, _report: LinkReport) {}
}

fn link(sink: &Arc<Counting>) -> Link {
    let own = Hello {
        protocol_version: PROTOCOL_VERSION,
        cluster: "bank".to_owned(),
        incarnation: 1,
        node: "node-1".to_owned(),
        message_bytes_max: LONGEST as u64,
    };
    let settings = LinkSettings::default().with_message_bytes_max(LONGEST);
    let peer = PeerNode::new(Incarnation::new(2), "node-2", "node-2:1");
    Link::new(Arc::new(own), settings, peer, sink.clone(), Instant::now())
}

#[test]
fn the_corpus_is_of_frames() {
    let corpus = corpus();
    assert_eq!(corpus.len(), 12);
    for frame in corpus {
        assert!(decode(frame.clone().into()).is_ok(), "{frame:02x?}");
    }
}

#[test]
fn whatever_a_peer_sends_a_link_takes_it_or_refuses_it() {
    let (first, runs) = runs();
    println!("ACTUM_CLUSTER_FUZZ_SEED={first}");
    let (corpus, mut taken) = (corpus(), 0);
    for seed in first..first.saturating_add(runs) {
        let mut random = fastrand::Rng::with_seed(seed);
        let sink = Arc::new(Counting::default());
        let link = link(&sink);
        link.connected(Arc::new(Silent));
        let mut arrived = 0;
        for nr in 0..20 {
            // now and then the peer greets as it should
            let frame = match nr {
                _ if random.u8(..4) == 0 => corpus[1].clone(),
                _ => changed(&mut random, &corpus),
            };
            arrived += frame.len();
            if random.u8(..4) == 0 {
                let _ = link.send(nr, vec![0; random.usize(..LONGEST)].into());
            }
            match link.take(frame.into()) {
                Ok(()) => taken += 1,
                Err(_) => {
                    link.disconnected();
                    link.connected(Arc::new(Silent));
                }
            }
        }
        assert!(sink.0.load(Ordering::Relaxed) <= arrived, "nothing comes that was not sent");
        assert!(link.status().partial_bytes <= arrived, "and nothing is held for it");
        link.disconnected();
    }
    assert!(taken as u64 > runs, "not all is refused at once: {taken}");
}
