//! How deep values may be nested is what the decoders read, to the level.

use super::trip::{Checked, accepts, refusal};
use actum_persistence::codec::{Cbor, Json};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A chain of one kind of link, named by what a link takes of a format.
#[derive(Debug, Serialize, Deserialize)]
enum Chain {
    End,
    Newtype(Box<Chain>),
    Tuple(u8, Box<Chain>),
    Record { next: Box<Chain> },
}

#[derive(Debug, Serialize, Deserialize)]
struct Tree {
    children: Vec<Tree>,
}

#[derive(Debug, Serialize, Deserialize)]
struct List(Vec<List>);

#[derive(Debug, Serialize, Deserialize)]
struct Linked(Option<Box<Link>>);

#[derive(Debug, Serialize, Deserialize)]
struct Link {
    next: Linked,
}

#[derive(Debug, Serialize, Deserialize)]
struct Names(BTreeMap<String, Names>);

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    End,
    More { next: Box<Tagged> },
}

fn chain<T>(length: usize, end: T, link: fn(T) -> T) -> T {
    (0..length).fold(end, |inner, _| link(inner))
}

/// The longest chain that is accepted; each length is held to the rule from both sides.
fn longest<C: Checked, T: super::trip::Payloadlike>(make: impl Fn(usize) -> T) -> usize {
    let accepted: Vec<bool> = (0..270).map(|length| accepts::<C, T>(&make(length))).collect();
    let longest = accepted.iter().take_while(|accepted| **accepted).count();
    assert!(accepted[longest..].iter().all(|accepted| !accepted), "{accepted:?}");
    longest - 1
}

#[test]
fn json_reads_127_levels_of_each_kind() {
    assert_eq!(longest::<Json, _>(|n| chain(n, List(vec![]), |inner| List(vec![inner]))), 126);
    assert_eq!(longest::<Json, _>(|n| chain(n, Tree { children: vec![] }, tree)), 62);
    assert_eq!(longest::<Json, _>(|n| chain(n, Linked(None), linked)), 127);
    assert_eq!(longest::<Json, _>(|n| chain(n, Names(BTreeMap::new()), names)), 126);
    assert_eq!(longest::<Json, _>(|n| chain(n, Chain::End, |c| Chain::Newtype(c.into()))), 127);
    assert_eq!(longest::<Json, _>(|n| chain(n, Chain::End, |c| Chain::Tuple(1, c.into()))), 63);
    assert_eq!(
        longest::<Json, _>(|n| chain(n, Chain::End, |c| Chain::Record { next: c.into() })),
        63
    );
    assert_eq!(
        longest::<Json, _>(|n| chain(n, Tagged::End, |c| Tagged::More { next: c.into() })),
        126
    );
}

#[test]
fn cbor_reads_256_levels_of_each_kind() {
    assert_eq!(longest::<Cbor, _>(|n| chain(n, List(vec![]), |inner| List(vec![inner]))), 255);
    assert_eq!(longest::<Cbor, _>(|n| chain(n, Tree { children: vec![] }, tree)), 127);
    assert_eq!(longest::<Cbor, _>(|n| chain(n, Linked(None), linked)), 256);
    assert_eq!(longest::<Cbor, _>(|n| chain(n, Names(BTreeMap::new()), names)), 255);
    assert_eq!(longest::<Cbor, _>(|n| chain(n, Chain::End, |c| Chain::Newtype(c.into()))), 255);
    assert_eq!(longest::<Cbor, _>(|n| chain(n, Chain::End, |c| Chain::Tuple(1, c.into()))), 127);
    assert_eq!(
        longest::<Cbor, _>(|n| chain(n, Chain::End, |c| Chain::Record { next: c.into() })),
        127
    );
    assert_eq!(
        longest::<Cbor, _>(|n| chain(n, Tagged::End, |c| Tagged::More { next: c.into() })),
        255
    );
}

fn tree(inner: Tree) -> Tree {
    Tree { children: vec![inner] }
}

fn linked(inner: Linked) -> Linked {
    Linked(Some(Box::new(Link { next: inner })))
}

fn names(inner: Names) -> Names {
    Names(BTreeMap::from([("name".to_owned(), inner)]))
}

#[test]
fn what_is_too_deep_is_refused_before_it_is_written_to_its_end() {
    let deep = chain(5_000, List(vec![]), |inner| List(vec![inner]));
    assert_eq!(Json::encode(&deep).unwrap_err(), "the value is nested more than 127 levels deep");
    let text = Cbor::encode(&deep).unwrap_err();
    assert!(text.contains("the value is nested more than 256 levels deep"), "{text}");
    let one_too_many = refusal::<Json, _>(&chain(127, List(vec![]), |inner| List(vec![inner])));
    let expected = "the value is nested more than 127 levels deep: it cannot be read back: recursion limit exceeded";
    assert!(one_too_many.starts_with(expected), "{one_too_many}");
}
