//! A number for a value as serde shows it: two values of a type that serde shows alike have the same one, and others
//! practically never do. The order of lists and maps does not count, since hash maps and sets have none, and no decoder
//! changes it.

mod compound;
mod fingerprinting;
mod unwritable;

use super::format::Format;
use actum_model::CodecError;
use compound::Compound;
use fingerprinting::Fingerprinting;
use serde::Serialize;
use std::marker::PhantomData;
use unwritable::Unwritable;

/// The fingerprint of what `F` is to write of `value`.
///
/// # Errors
/// [`CodecError`] when the value cannot be serialized.
pub(super) fn fingerprint<F: Format, T: Serialize>(value: &T) -> Result<u64, CodecError> {
    value.serialize(Fingerprinting::<F>(PhantomData)).map_err(CodecError::new)
}

/// Kinds of what serde shows.
#[derive(Clone, Copy)]
enum Kind {
    Bool = 1,
    Signed,
    Unsigned,
    Wide,
    Float,
    Char,
    Str,
    Bytes,
    None,
    Some,
    Unit,
    Named,
    Variant,
    List,
    Tuple,
    Map,
    Struct,
}

/// Order counts: `mix(a, b)` is not `mix(b, a)`.
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x2d35_8dcc_aa6c_78a5) * u128::from(b ^ 0x8bb8_4b93_962e_acc9);
    (product as u64) ^ (product >> 64) as u64
}

fn of(kind: Kind, value: u64) -> u64 {
    mix(kind as u64, value)
}
