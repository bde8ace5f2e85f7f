//! Functions that save time, beside the versions of the schema.
//!
//! A journal works without them: one that an older program has made, and whose user may not add to its schema. Programs
//! that do not know them do not mind.

use crate::{row::column, session::Session};

/// What makes them.
pub(crate) const SCRIPT: &str = include_str!("append_after.sql");

const NAMES: [&str; 2] = ["append_one_after_v1", "append_many_after_v1"];

/// What a schema has of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortcuts {
    /// Not all.
    Missing,
    /// All, and the user may not call them.
    Forbidden,
    /// All.
    Usable,
}

/// Looks what a schema has of them.
pub(crate) async fn look(session: &mut Session, schema: &str) -> Result<Shortcuts, sqlx::Error> {
    let query = "SELECT count(*) = cardinality($2), coalesce(bool_and(has_function_privilege(p.oid, 'EXECUTE')), FALSE)
        FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname = $1 AND p.proname = ANY ($2)";
    let rows = session.rows(sqlx::query(query).bind(schema).bind(&NAMES[..])).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    Ok(match (column(row, 0)?, column(row, 1)?) {
        (false, _) => Shortcuts::Missing,
        (true, false) => Shortcuts::Forbidden,
        (true, true) => Shortcuts::Usable,
    })
}
