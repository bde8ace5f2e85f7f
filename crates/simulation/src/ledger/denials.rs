use super::Ledger;

impl Ledger {
    /// A caller was answered that a command was not applied: it is not, and will not be.
    pub(super) fn deny(&mut self, nr: u32) {
        let sent = &mut self.sent[nr as usize];
        sent.denied = true;
        if let Some((first, _)) = sent.placed {
            self.wrong(format!("{nr}: said to be not applied, but stored as {first}"));
        }
    }
}
