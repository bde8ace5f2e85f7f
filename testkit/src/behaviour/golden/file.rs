use super::entry::Entry;
use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// The file of a [`Golden`](super::Golden): a line an entry; empty lines and lines that begin with `#` do not count.
pub(super) struct GoldenFile {
    path: PathBuf,
    text: String,
    /// Each with the number of its line.
    pub(super) entries: Vec<(usize, Entry)>,
}

const HEADER: &str = "\
# Stored payloads: what | manifest | schema version | codec | bytes.
# Lines are added and never changed or removed: what was stored once must be readable for ever.
";

impl GoldenFile {
    /// Reads a file; one that does not exist is empty.
    ///
    /// # Errors
    /// Why it cannot be read, and where.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("{shown} cannot be read: {error}")),
        };
        let lines = text.lines().enumerate();
        let entries = lines
            .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
            .map(|(index, line)| match Entry::parse(line) {
                Ok(entry) => Ok((index + 1, entry)),
                Err(why) => Err(format!("{shown}, line {}: {why}", index + 1)),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { path: path.to_owned(), text, entries })
    }

    /// Adds entries behind those that are there.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn append(&self, entries: &[Entry]) -> io::Result<()> {
        let mut text = if self.text.is_empty() { HEADER.to_owned() } else { self.text.clone() };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        entries.iter().for_each(|entry| text.extend([&*entry.to_string(), "\n"]));
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(&self.path, text)
    }
}
