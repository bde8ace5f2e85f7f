//! Payloads of all codecs, side by side.

use actum_model::payload;
use actum_persistence::codec::{Cbor, Json, Prost};
use proptest::prelude::{Strategy, any, prop};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Opened {
    pub(crate) owner: String,
    pub(crate) limit: Option<i64>,
    pub(crate) tags: Vec<String>,
    pub(crate) rate: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Balance {
    pub(crate) cents: i64,
    pub(crate) history: Vec<(u64, Change)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Change {
    Deposited(u64),
    Withdrawn { cents: u64, note: String },
    Closed,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Deposited {
    #[prost(int64, tag = "1")]
    pub(crate) cents: i64,
    #[prost(string, tag = "2")]
    pub(crate) note: String,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(crate) receipts: Vec<Vec<u8>>,
}

payload!(Json: Opened = "account.opened");
payload!(Cbor: Balance = "account.balance");
payload!(Prost: Deposited = "account.deposited");

pub(crate) fn opened() -> Opened {
    Opened {
        owner: "Zoë \"zz\" 山".into(),
        limit: Some(-1),
        tags: vec!["a".into(), String::new()],
        rate: 0.1,
    }
}

pub(crate) fn balance() -> Balance {
    let withdrawn = Change::Withdrawn { cents: u64::MAX, note: "é".into() };
    Balance {
        cents: i64::MIN,
        history: vec![(1, Change::Deposited(7)), (2, withdrawn), (3, Change::Closed)],
    }
}

pub(crate) fn deposited() -> Deposited {
    Deposited { cents: -5, note: "März".into(), receipts: vec![vec![0, 255], vec![]] }
}

pub(crate) fn any_opened() -> impl Strategy<Value = Opened> {
    let tags = prop::collection::vec(any::<String>(), 0..4);
    let rate = prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO;
    (any::<String>(), any::<Option<i64>>(), tags, rate)
        .prop_map(|(owner, limit, tags, rate)| Opened { owner, limit, tags, rate })
}

pub(crate) fn any_balance() -> impl Strategy<Value = Balance> {
    let change = (0..3u8, any::<u64>(), any::<String>()).prop_map(|(n, cents, note)| match n {
        0 => Change::Deposited(cents),
        1 => Change::Withdrawn { cents, note },
        _ => Change::Closed,
    });
    let history = prop::collection::vec((any::<u64>(), change), 0..5);
    (any::<i64>(), history).prop_map(|(cents, history)| Balance { cents, history })
}

pub(crate) fn any_deposited() -> impl Strategy<Value = Deposited> {
    let receipts = prop::collection::vec(any::<Vec<u8>>(), 0..3);
    (any::<i64>(), any::<String>(), receipts).prop_map(|(cents, note, receipts)| Deposited {
        cents,
        note,
        receipts,
    })
}
