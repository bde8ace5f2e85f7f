use actum_projection::Message;
use std::{error::Error, fmt, sync::Arc};

/// Which subject a message is published to.
#[derive(Clone)]
pub struct Subject(SubjectRule);

#[derive(Clone)]
enum SubjectRule {
    Template(Arc<[Part]>),
    By(Arc<dyn Fn(&Message) -> String + Send + Sync>),
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Kind,
    Id,
    Type,
    Partition,
}

/// The longest subject, in bytes: a server takes 4,096 with everything around it, and hangs up on more.
const SUBJECT_BYTES_MAX: usize = 2_048;

impl Subject {
    /// A template: text in which `{kind}` and `{id}` of the entity, its `{partition}` and the `{type}` of the event are filled
    /// in, such as `bank.{kind}.{id}`.
    ///
    /// Kind, id and partition are one token each, whatever they contain: a dot, a wildcard, white space, `%`, and what is not
    /// ASCII is percent-encoded. A type is a token for each of its parts between dots.
    ///
    /// # Examples
    /// ```
    /// use actum_publish_nats::Subject;
    ///
    /// assert!(Subject::template("bank.{kind}.{id}.{type}").is_ok());
    /// let error = Subject::template("bank.{knid}").unwrap_err();
    /// assert_eq!(error.to_string(), "`bank.{knid}` is not a template of subjects: it has no `{knid}` to fill in");
    /// ```
    ///
    /// # Errors
    /// [`InvalidTemplate`] when it names something else, or what comes of it cannot be published to.
    pub fn template(template: &str) -> Result<Self, InvalidTemplate> {
        let invalid = |why: String| InvalidTemplate { template: template.to_owned(), why };
        let parts = parts(template).map_err(invalid)?;
        let example: String = parts.iter().map(|part| part.filled("a", "a", "a", "0")).collect();
        check(&example).map_err(|why| invalid(why.to_owned()))?;
        Ok(Self(SubjectRule::Template(parts.into())))
    }

    /// The subject that `subject` returns. One that is not legal fails its event: it has tokens between dots, none of them
    /// empty, without white space, wildcards and control characters, and does not begin with `$`.
    pub fn by(subject: impl Fn(&Message) -> String + Send + Sync + 'static) -> Self {
        Self(SubjectRule::By(Arc::new(subject)))
    }

    /// The subject of a message, or why it has none.
    pub(crate) fn of(&self, message: &Message) -> Result<String, String> {
        let subject = match &self.0 {
            SubjectRule::By(by) => by(message),
            SubjectRule::Template(parts) => {
                let (entity, partition) = (message.entity(), message.recorded().partition.nr());
                let partition = partition.to_string();
                let fill = |part: &Part| {
                    part.filled(entity.kind(), entity.id(), message.manifest(), &partition)
                };
                parts.iter().map(fill).collect()
            }
        };
        match check(&subject) {
            Ok(()) => Ok(subject),
            Err(why) => Err(format!("`{}` is not a subject: {why}", subject.escape_debug())),
        }
    }
}

impl Part {
    fn filled(&self, kind: &str, id: &str, manifest: &str, partition: &str) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Kind => token(kind),
            Self::Id => token(id),
            Self::Type => manifest.split('.').map(token).collect::<Vec<_>>().join("."),
            Self::Partition => partition.to_owned(),
        }
    }
}

fn parts(template: &str) -> Result<Vec<Part>, String> {
    let (mut parts, mut rest) = (Vec::new(), template);
    while let Some((text, behind)) = rest.split_once('{') {
        let Some((name, behind)) = behind.split_once('}') else {
            return Err("it has a `{` without its `}`".to_owned());
        };
        parts.push(Part::Text(text.to_owned()));
        parts.push(match name {
            "kind" => Part::Kind,
            "id" => Part::Id,
            "type" => Part::Type,
            "partition" => Part::Partition,
            _ => return Err(format!("it has no `{{{name}}}` to fill in")),
        });
        rest = behind;
    }
    parts.push(Part::Text(rest.to_owned()));
    Ok(parts)
}

/// A value as one token.
fn token(value: &str) -> String {
    let mut token = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'.' | b'*' | b'>' | b'%') {
            token.push(char::from(byte));
        } else {
            token.push_str(&format!("%{byte:02X}"));
        }
    }
    token
}

/// Whether messages can be published to a subject.
fn check(subject: &str) -> Result<(), &'static str> {
    let is_illegal = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '*' | '>');
    if subject.len() > SUBJECT_BYTES_MAX {
        return Err("it has more than 2,048 bytes");
    }
    if subject.split('.').any(str::is_empty) {
        return Err("it has an empty token");
    }
    if subject.contains(is_illegal) {
        return Err("it has white space, a wildcard or a control character");
    }
    if subject.starts_with('$') {
        return Err("what begins with `$` belongs to the server");
    }
    Ok(())
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            SubjectRule::Template(parts) => f.debug_tuple("Subject").field(parts).finish(),
            SubjectRule::By(_) => f.write_str("Subject(..)"),
        }
    }
}

/// A text that is not a template of subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTemplate {
    template: String,
    why: String,
}

impl fmt::Display for InvalidTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a template of subjects: {}", self.template, self.why)
    }
}

impl Error for InvalidTemplate {}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, kind: &str, id: &str, manifest: &str) -> String {
        let parts = parts(template).expect("a template");
        parts.iter().map(|part| part.filled(kind, id, manifest, "7")).collect()
    }

    #[test]
    fn what_is_filled_in_stays_one_token_and_types_keep_theirs() {
        let template = "bank.{kind}.{id}.{type}.p{partition}";
        assert_eq!(
            filled(template, "account", "acc-1", "account.opened"),
            "bank.account.acc-1.account.opened.p7"
        );
        assert_eq!(
            filled("{kind}.{id}", "a b", "x.y>*%\n\u{e9}", ""),
            "a%20b.x%2Ey%3E%2A%25%0A%C3%A9"
        );
    }

    #[test]
    fn two_ids_never_give_one_subject() {
        let ids = ["a.b", "a%2Eb", "a b", "a%20b", "a", "A"];
        let subjects: std::collections::HashSet<_> = ids.iter().map(|id| token(id)).collect();
        assert_eq!(subjects.len(), ids.len());
    }

    #[test]
    fn templates_that_nothing_can_be_published_to_are_refused() {
        for (template, why) in [
            ("", "it has an empty token"),
            ("bank..{id}", "it has an empty token"),
            (".{id}", "it has an empty token"),
            ("bank.*.{id}", "it has white space, a wildcard or a control character"),
            ("bank.>", "it has white space, a wildcard or a control character"),
            ("bank {id}", "it has white space, a wildcard or a control character"),
            ("$JS.{id}", "what begins with `$` belongs to the server"),
            ("bank.{id", "it has a `{` without its `}`"),
            ("bank.{name}", "it has no `{name}` to fill in"),
        ] {
            let error = Subject::template(template).map(|_| ()).expect_err(template);
            assert_eq!(error.why, why, "{template}");
        }
        assert!(Subject::template(&"a".repeat(3_000)).is_err());
    }
}
