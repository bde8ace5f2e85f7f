use sqlx::AssertSqlSafe;
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// A statement's text, ready to be run.
pub(crate) type Text = AssertSqlSafe<Arc<str>>;

/// The texts of statements, with the schema of the journal put where they have `@`.
///
/// Every name is written with its schema: nothing depends on the search path of a connection, which a connection from
/// another program's pool, or one behind a proxy, may have set to anything.
#[derive(Debug)]
pub(crate) struct Texts {
    /// `"schema".`
    prefix: String,
    /// By where the template lies: there are as many as the sources have, and they do not move.
    ready: RwLock<HashMap<(usize, usize), Arc<str>>>,
}

impl Texts {
    pub(crate) fn new(schema: &str) -> Self {
        let prefix = format!("\"{}\".", schema.replace('"', "\"\""));
        Self { prefix, ready: RwLock::default() }
    }

    /// The text of `template` in this schema.
    pub(crate) fn of(&self, template: &'static str) -> Text {
        let key = (template.as_ptr().addr(), template.len());
        // nothing panics while the map is held
        let ready = self.ready.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = ready.get(&key) {
            return AssertSqlSafe(Arc::clone(text));
        }
        drop(ready);
        let text: Arc<str> = template.replace('@', &self.prefix).into();
        let mut ready = self.ready.write().unwrap_or_else(PoisonError::into_inner);
        AssertSqlSafe(Arc::clone(ready.entry(key).or_insert(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gets_its_schema_and_a_text_is_made_once() {
        const TEMPLATE: &str = "SELECT 1 FROM @events AS e, @lanes AS l";
        let texts = Texts::new("bank");
        let AssertSqlSafe(first) = texts.of(TEMPLATE);
        assert_eq!(&*first, "SELECT 1 FROM \"bank\".events AS e, \"bank\".lanes AS l");
        let AssertSqlSafe(again) = texts.of(TEMPLATE);
        assert!(Arc::ptr_eq(&first, &again));
    }

    #[test]
    fn a_quote_in_the_name_of_a_schema_does_not_end_it() {
        let AssertSqlSafe(text) = Texts::new("a\"b").of("SELECT 2 FROM @lanes");
        assert_eq!(&*text, "SELECT 2 FROM \"a\"\"b\".lanes");
    }
}
