//! Of each public type of the contracts it is decided whether it may grow.

use std::{fs, path::Path};

/// The public types of a source that can be built or matched from outside, and whether they may grow.
fn open_types(source: &str) -> Vec<(String, bool)> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let declared = ["pub struct ", "pub enum "]
            .iter()
            .find_map(|word| line.strip_prefix(word).map(|rest| (*word, rest)));
        let Some((word, rest)) = declared else { continue };
        let Some((name, _)) = rest.split_once(" {") else { continue };
        let name = name.split('<').next().unwrap_or(name).to_owned();
        let body = lines[at + 1..].iter().take_while(|line| **line != "}");
        let is_open = word == "pub enum " || body.clone().any(|line| line.starts_with("    pub "));
        let above = lines[..at].iter().rev();
        let mut attributes =
            above.take_while(|line| line.starts_with("#[") || line.starts_with(')'));
        if is_open {
            found.push((name, attributes.any(|line| *line == "#[non_exhaustive]")));
        }
    }
    found
}

#[test]
fn each_type_may_grow_or_is_listed_as_exhaustive_on_purpose() {
    for (directory, types_min) in [("src/store", 30), ("src/store/progress", 12)] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        let docs = fs::read_to_string(directory.join("mod.rs")).unwrap();
        let docs: String = docs.lines().take_while(|line| line.starts_with("//!")).collect();
        let mut types = Vec::new();
        let files = fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path());
        for file in files.filter(|file| file.is_file()) {
            types.extend(open_types(&fs::read_to_string(file).unwrap()));
        }
        assert!(types.len() > types_min, "the sources were found: {types:?}");
        for (name, may_grow) in &types {
            let is_listed = docs.contains(&format!("[`{name}`]"));
            // the introduction names this one
            let is_listed = is_listed && name != "Stores";
            assert_ne!(
                *may_grow, is_listed,
                "{name}: it may grow, or the list says that it may not"
            );
        }
    }
}

#[test]
fn a_type_of_which_nothing_is_decided_is_found() {
    let source = "/// Docs.\n#[derive(Debug)]\n#[non_exhaustive]\npub struct Grows {\n    pub a: u8,\n}\n\
        #[derive(Debug)]\npub struct Fixed<'a> {\n    pub a: &'a u8,\n}\n\
        pub struct Closed {\n    a: u8,\n}\npub enum Either {\n    A,\n}\n";
    let found: Vec<_> = open_types(source);
    let expected = [("Grows", true), ("Fixed", false), ("Either", false)];
    assert_eq!(found, expected.map(|(name, grows)| (name.to_owned(), grows)));
}
