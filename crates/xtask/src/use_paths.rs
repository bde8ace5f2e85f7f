//! The paths that Rust source names, as far as text shows them: tests and comments left out.

/// The names of a path, the first one first.
pub type UsePath = Vec<String>;

/// A path that an item is imported from, and the name it has here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// What it is called here.
    pub name: String,
    /// Where it comes from.
    pub path: UsePath,
}

/// The paths that begin with `crate`, `super` or `self`, wherever they are.
#[must_use]
pub fn named(source: &str) -> Vec<UsePath> {
    let code = without_comments_and_tests(source);
    let mut paths = Vec::new();
    for root in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(root) {
            let before = &code[..at];
            let within = before.ends_with("::") || before.ends_with(is_of_name);
            if !within {
                paths.extend(Tree::new(&code[at..]).paths().into_iter().map(|import| import.path));
            }
        }
    }
    paths
}

/// What `use` brings into scope, for this module and those below it or for others too.
#[must_use]
pub fn imports(source: &str) -> Vec<Import> {
    let code = without_comments_and_tests(source);
    let uses = code.match_indices("use ").filter(|(at, _)| {
        let line = code[..*at].rsplit('\n').next().unwrap_or("").trim();
        line.is_empty() || line.starts_with("pub")
    });
    uses.flat_map(|(at, word)| Tree::new(&code[at + word.len()..]).paths()).collect()
}

/// The source without line comments and without what stands behind the beginning of its tests.
pub(crate) fn without_comments_and_tests(source: &str) -> String {
    let code: Vec<_> = source.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
    let code = code.join("\n");
    code.split("\nmod tests {").next().unwrap_or("").to_owned()
}

/// Whether a name may have this character.
pub(crate) fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What is left to read of a path, which may branch in braces.
struct Tree<'a> {
    rest: &'a str,
}

impl<'a> Tree<'a> {
    fn new(rest: &'a str) -> Self {
        Self { rest }
    }

    /// The paths of the tree that begins here.
    fn paths(&mut self) -> Vec<Import> {
        let mut path = UsePath::new();
        loop {
            self.rest = self.rest.trim_start();
            if let Some(branches) = self.rest.strip_prefix('{') {
                self.rest = branches;
                return self.branches(&path);
            }
            let Some(name) = self.name() else { break };
            path.push(name);
            let Some(behind) = self.rest.strip_prefix("::") else { break };
            self.rest = behind;
        }
        let alias = self.alias();
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop(); // the module itself
        }
        let Some(name) = alias.or_else(|| path.last().cloned()) else { return vec![] };
        vec![Import { name, path }]
    }

    /// The paths up to the brace that closes, each behind `path`.
    fn branches(&mut self, path: &UsePath) -> Vec<Import> {
        let mut paths = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if let Some(behind) = self.rest.strip_prefix('}') {
                self.rest = behind;
                return paths;
            }
            let found = self.paths();
            if found.is_empty() {
                return paths; // no tree of names
            }
            paths.extend(found.into_iter().map(|import| {
                let mut whole = path.clone();
                let is_self = import.path == ["self"];
                whole.extend(import.path.into_iter().filter(|_| !is_self));
                let name = if is_self && import.name == "self" {
                    whole.last().cloned().unwrap_or_default()
                } else {
                    import.name
                };
                Import { name, path: whole }
            }));
        }
    }

    fn name(&mut self) -> Option<String> {
        let end = self.rest.find(|c| !is_of_name(c) && c != '*').unwrap_or(self.rest.len());
        let (name, behind) = self.rest.split_at(end);
        self.rest = behind;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn alias(&mut self) -> Option<String> {
        let behind = self.rest.trim_start().strip_prefix("as ")?;
        self.rest = behind.trim_start();
        self.name()
    }
}
