/// A seed, which is printed when its run fails.
pub(crate) struct Seed(u64);

impl Seed {
    pub(crate) fn nr(&self) -> u64 {
        self.0
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("ACTUM_TEST_SEED={} repeats it", self.0);
        }
    }
}

/// The seeds of a test: so many that are always the same, and some others; one, if `ACTUM_TEST_SEED` says which.
pub(crate) fn seeds(count: u64) -> impl Iterator<Item = Seed> {
    let seeds: Vec<_> = match std::env::var("ACTUM_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("ACTUM_TEST_SEED is a number of 64 bits")],
        Err(_) => (0..count).chain((0..count / 4).map(|_| fastrand::u64(..))).collect(),
    };
    seeds.into_iter().map(Seed)
}
