/// Whether a runner is an earlier life of `me`.
pub fn is_replaced(runner: &str, me: &str) -> bool {
    match (incarnation(runner), incarnation(me)) {
        (Some((name, older)), Some((me, mine))) => name == me && older < mine,
        _ => false,
    }
}

/// `bank@7` is the seventh incarnation of `bank`.
fn incarnation(runner: &str) -> Option<(&str, u64)> {
    let (name, incarnation) = runner.rsplit_once('@')?;
    Some((name, incarnation.parse().ok()?))
}
