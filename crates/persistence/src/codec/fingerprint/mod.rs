//! A number for a value as serde shows it: two values of a type that serde shows alike have the same one, and others
//! practically never do. The order of maps and of fields does not count.

mod fingerprinting;
mod rules;
#[cfg(test)]
mod tests;
mod unwritable;

use super::format::Format;
use actum_model::CodecError;
use fingerprinting::Fingerprinting;
use rules::{ContentOnly, Exact, Rules};
use serde::Serialize;
use std::marker::PhantomData;
use unwritable::Unwritable;

/// The fingerprint of exactly what `F` is to write of `value`, to be compared with that of what was read back.
///
/// The order of lists does not count either, since hash sets have none, and no decoder changes it.
///
/// # Errors
/// [`CodecError`] when the value cannot be serialized.
pub(super) fn exact<F: Format, T: Serialize>(value: &T) -> Result<u64, CodecError> {
    fingerprint::<Exact<F>, T>(value)
}

/// The fingerprint of the content of `value`, the same in every process and for ever: it is stored.
///
/// Names of Rust types and widths of numbers do not count, nor do fields that are `None`, so a type may get another
/// optional field. A list that has no order, such as a hash set, cannot be distinguished from one that has.
///
/// # Errors
/// [`CodecError`] when the value cannot be serialized.
pub(super) fn content<T: Serialize>(value: &T) -> Result<u64, CodecError> {
    fingerprint::<ContentOnly, T>(value)
}

fn fingerprint<R: Rules, T: Serialize>(value: &T) -> Result<u64, CodecError> {
    value.serialize(Fingerprinting::<R>(PhantomData)).map_err(CodecError::new)
}

/// Kinds of what serde shows. The numbers are for ever: fingerprints of content are stored.
#[derive(Clone, Copy)]
enum Kind {
    Bool = 1,
    Signed = 2,
    Unsigned = 3,
    Float = 4,
    Char = 5,
    Str = 6,
    Bytes = 7,
    None = 8,
    Some = 9,
    Unit = 10,
    Named = 11,
    Variant = 12,
    List = 13,
    Tuple = 14,
    Map = 15,
    Struct = 16,
}

/// Order counts: `mix(a, b)` is not `mix(b, a)`.
///
/// The multiplication of 64 bits to 128, folded, of wyhash (Wang Yi, <https://github.com/wangyi-fudan/wyhash>).
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x2d35_8dcc_aa6c_78a5) * u128::from(b ^ 0x8bb8_4b93_962e_acc9);
    (product as u64) ^ (product >> 64) as u64
}

fn of(kind: Kind, value: u64) -> u64 {
    mix(kind as u64, value)
}
