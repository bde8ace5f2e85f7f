use actum_persistence::settings_check::SettingsCheck;

/// What all readers of an engine together take: of memory, and of the journal's database, which those who write need as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadShare {
    /// How many bytes of events they may have read and not handled; 64 MiB by default, at least 1 MiB. What subscriptions hold for
    /// their consumers takes half of it at most.
    pub bytes_max: usize,
    /// How many pages those who are far behind may read from the store at the same time; 2 by default, 1 to 1,000.
    pub catch_up_reads_max: usize,
}

impl Default for ReadShare {
    fn default() -> Self {
        Self { bytes_max: 64 << 20, catch_up_reads_max: 2 }
    }
}

impl ReadShare {
    /// Names what is wrong, by the names of the builder's methods.
    pub fn check(&self, check: &mut SettingsCheck) {
        check.bytes("projection_bytes_max", self.bytes_max, 1 << 20..);
        check.number("catch_up_reads_max", self.catch_up_reads_max, 1..=1_000);
    }
}
