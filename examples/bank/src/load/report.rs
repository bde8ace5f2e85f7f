use super::{audit::Verdict, meter::Tally};
use anyhow::Result;
use hdrhistogram::Histogram;
use indicatif::HumanCount;
use std::{collections::BTreeMap, io::Write, time::Duration};

/// How many findings are shown one by one.
const FINDINGS_SHOWN: usize = 20;
/// How long the longest bar is.
const BAR_WIDTH: u64 = 40;
/// Where the histogram begins.
const LEAST_BOUND_MICROS: u64 = 125;

/// Reports how many requests were answered, and how fast.
pub(super) fn requests(drove: &Tally, took: Duration, out: &mut impl Write) -> Result<()> {
    let Tally { deposits, withdrawals, refused, looks, repeated, latencies, .. } = drove;
    let answered = latencies.len();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "for display"
    )]
    let rate = (answered as f64 / took.as_secs_f64()).round() as u64;
    writeln!(
        out,
        "\n{} requests answered in {:.1} s: {} a second",
        HumanCount(answered),
        took.as_secs_f64(),
        HumanCount(rate)
    )?;
    writeln!(
        out,
        "  {} deposits, {} withdrawals, {} more refused for want of money, {} looks at a balance",
        HumanCount(*deposits),
        HumanCount(*withdrawals),
        HumanCount(*refused),
        HumanCount(*looks)
    )?;
    writeln!(
        out,
        "  {} of them were sent again after they had been acknowledged, with the same key",
        HumanCount(*repeated)
    )?;
    histogram(latencies, out)
}

/// Reports how long answers took: how many fell into each doubling of the time, and the percentiles.
fn histogram(latencies: &Histogram<u64>, out: &mut impl Write) -> Result<()> {
    let mut rows: BTreeMap<u64, u64> = BTreeMap::new();
    for step in latencies.iter_recorded() {
        *rows.entry(bound_of(step.value_iterated_to())).or_default() += step.count_at_value();
    }
    let most = rows.values().copied().max().unwrap_or(1);
    writeln!(out, "\nanswered within")?;
    for (bound, count) in &rows {
        let bar = "█".repeat(usize::try_from(count * BAR_WIDTH / most).unwrap_or_default());
        writeln!(out, "{:>9} ms  {:>11}  {bar}", millis(*bound), HumanCount(*count).to_string())?;
    }
    let percentiles =
        [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99.9", 99.9), ("max", 100.0)];
    let shown = percentiles.map(|(name, percent)| {
        format!("{name} {:.2} ms", millis(latencies.value_at_percentile(percent)))
    });
    writeln!(out, "  {}", shown.join("   "))?;
    Ok(())
}

/// The first of 125, 250, 500 … microseconds that is not less.
fn bound_of(micros: u64) -> u64 {
    LEAST_BOUND_MICROS * micros.div_ceil(LEAST_BOUND_MICROS).max(1).next_power_of_two()
}

fn millis(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1_000.0
}

/// Reports whether every balance is right, and which are not.
pub(super) fn verdict(verdict: &Verdict, out: &mut impl Write) -> Result<()> {
    let count = |count: usize| HumanCount(count as u64);
    let accounts = count(verdict.accounts);
    writeln!(out)?;
    if verdict.is_right() {
        writeln!(out, "all {accounts} balances are exactly what was acknowledged")?;
        return Ok(());
    }
    for surprise in &verdict.first_surprises {
        writeln!(out, "ODD: {surprise}")?;
    }
    if verdict.surprises > 0 {
        writeln!(out, "{} answers cannot be right", HumanCount(verdict.surprises))?;
    }
    if verdict.unknown > 0 {
        let unknown = HumanCount(verdict.unknown);
        writeln!(out, "{unknown} orders have no known outcome: their accounts cannot be judged")?;
    }
    if let Some(why) = &verdict.why_unreadable {
        let unreadable = count(verdict.unreadable);
        writeln!(out, "{unreadable} of {accounts} accounts cannot be looked at, such as {why}")?;
    }
    for finding in verdict.wrong.iter().take(FINDINGS_SHOWN) {
        writeln!(out, "WRONG: {finding}")?;
    }
    if verdict.wrong.len() > FINDINGS_SHOWN {
        writeln!(out, "… and {} more", count(verdict.wrong.len() - FINDINGS_SHOWN))?;
    }
    let wrong = count(verdict.wrong.len());
    writeln!(out, "{wrong} of {accounts} accounts are not what was acknowledged")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{bound_of, histogram};
    use hdrhistogram::Histogram;

    #[test]
    fn time_falls_into_the_first_doubling_that_is_not_less() {
        for (micros, bound) in
            [(0, 125), (1, 125), (125, 125), (126, 250), (250, 250), (251, 500), (1_001, 2_000)]
        {
            assert_eq!(bound_of(micros), bound, "{micros}");
        }
    }

    #[test]
    fn histogram_counts_every_answer_once() {
        let mut latencies = Histogram::new(3).expect("3 digits are between 0 and 5");
        for (micros, count) in [(100, 1), (200, 10), (900, 20), (1_000, 20), (30_000, 1)] {
            latencies.record_n(micros, count).expect("a histogram that resizes takes any value");
        }
        let mut report = Vec::new();
        histogram(&latencies, &mut report).expect("a vector can be written to");
        let bar = |length| "█".repeat(length);
        let expected = format!(
            "
answered within
    0.125 ms            1  {}
     0.25 ms           10  {}
        1 ms           40  {}
       32 ms            1  {}
  p50 0.90 ms   p90 1.00 ms   p99 30.02 ms   p99.9 30.02 ms   max 30.02 ms
",
            bar(1),
            bar(10),
            bar(40),
            bar(1)
        );
        assert_eq!(String::from_utf8_lossy(&report), expected);
    }
}
