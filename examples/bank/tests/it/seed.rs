/// A source of random choices that prints its seed, and takes it from `ACTUM_TEST_SEED` if that is set.
pub(crate) fn random() -> fastrand::Rng {
    let given = std::env::var("ACTUM_TEST_SEED").ok();
    let seed = match given {
        Some(text) => text.parse().expect("ACTUM_TEST_SEED is a number of 64 bits"),
        None => fastrand::u64(..),
    };
    println!("seed {seed}; ACTUM_TEST_SEED={seed} repeats its choices");
    fastrand::Rng::with_seed(seed)
}
