//! Why an engine did not start is reported once, from the outermost reason to the innermost.

use actum_persistence::store::{ClaimError, HeldLease, Incarnation, Renewal, StoreError};
use actum_runtime::{ModelConflict, StartError, StateModel};
use std::{error::Error, time::Duration};

/// One error of every kind, and what each link of its chain says.
fn errors() -> Vec<(StartError, Vec<&'static str>)> {
    let problems = vec!["one is wrong".to_owned(), "another is, too".to_owned()];
    let held = |expires_in: Option<Duration>| ClaimError::Held {
        slot: "journal".to_owned(),
        holder: "engine `bank`, process 7".to_owned(),
        incarnation: Incarnation::new(3),
        lease: expires_in.map(|expires_in| HeldLease::new(Renewal::new(1), None, expires_in)),
    };
    let unavailable =
        StoreError::unavailable("claiming", std::io::Error::other("the disk is away"));
    let away = vec![
        "the store failed while the engine started",
        "the store is unavailable: claiming",
        "the disk is away",
    ];
    let conflicts = vec![ModelConflict {
        kind: "account".to_owned(),
        registered: StateModel::DurableState,
        stored: StateModel::EventSourced,
    }];
    vec![
        (
            StartError::OtherModel { conflicts },
            vec![
                "the engine cannot start with these kinds of entities:\n  - kind `account` is registered as durable-state, and the journal holds event-sourced entities of it",
            ],
        ),
        (
            StartError::Invalid { problems },
            vec![
                "the engine cannot start with these settings:\n  - one is wrong\n  - another is, too",
            ],
        ),
        (
            held(None).into(),
            vec![
                "another engine writes to this journal",
                "the writer slot `journal` is held by engine `bank`, process 7",
            ],
        ),
        (
            held(Some(Duration::from_secs(3))).into(),
            vec![
                "another engine writes to this journal",
                "the writer slot `journal` is held by engine `bank`, process 7, whose lease ends in 3s unless renewed",
            ],
        ),
        (
            held(Some(Duration::ZERO)).into(),
            vec![
                "another engine writes to this journal",
                "the writer slot `journal` is held by engine `bank`, process 7, whose lease has ended",
            ],
        ),
        (unavailable.clone().into(), away.clone()),
        (ClaimError::Store(unavailable).into(), away),
        (
            StartError::Partitions { what: "they panic".to_owned() },
            vec!["the partitions do not start: they panic"],
        ),
    ]
}

fn chain(error: &StartError) -> Vec<String> {
    let mut chain = vec![error.to_string()];
    let mut inner = error.source();
    while let Some(error) = inner {
        chain.push(error.to_string());
        inner = error.source();
    }
    chain
}

#[test]
fn every_start_error_says_each_thing_once() {
    for (error, expected) in errors() {
        let chain = chain(&error);
        assert_eq!(chain, expected, "{error:?}");
        let line = format!("{error:#}");
        let listed = line.replace("; ", "\n  - ").replace(": one", ":\n  - one");
        assert_eq!(listed.replace(": kind", ":\n  - kind"), chain.join(": "));
        assert!(!line.contains('\n'), "{line}");
        for (at, inner) in chain.iter().enumerate().skip(1) {
            assert!(!chain[at - 1].contains(inner.as_str()), "said twice: {inner}");
        }
    }
}
