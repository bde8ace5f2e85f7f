//! What the public signatures of the facade name can be named by its paths.

use actum::{
    At, Each, EffectParts, Failure, MemoryStore, Never, Plain, ReplyFrom, Unanswered, postgres,
    sqlite, store,
};

/// Compiles as long as every path is there.
#[expect(dead_code, reason = "that it compiles is the test")]
struct Exported(
    At<0>,
    Each,
    Plain,
    Never,
    Failure,
    MemoryStore,
    sqlite::SqliteStore,
    sqlite::SqliteSettings,
    sqlite::Synchronous,
    sqlite::OpenError,
    postgres::PostgresStore,
    postgres::PostgresSettings,
    postgres::Migrate,
    postgres::Migration,
    postgres::OpenError,
    store::StoreError,
    store::ClaimError,
    store::Incarnation,
);

#[test]
fn both_stores_have_a_short_path_too() {
    fn same<T>(_: Option<T>, _: Option<T>) {}
    same(None::<actum::SqliteStore>, None::<sqlite::SqliteStore>);
    same(None::<actum::PostgresStore>, None::<postgres::PostgresStore>);
}

/// What runs effects can name their parts.
#[expect(dead_code, reason = "that it compiles is the test")]
fn parts<E: actum::Entity, R>(effect: actum::Effect<E, R>) -> ReplyFrom<E, R>
where
    (): Unanswered<R>,
{
    let EffectParts { reply, .. } = effect.into_parts();
    reply
}
