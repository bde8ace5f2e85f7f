use super::{audit::Verdict, meter::Tally};
use anyhow::Result;
use hdrhistogram::Histogram;
use indicatif::HumanCount;
use std::{io::Write, time::Duration};

/// How many findings are told one by one.
const FINDINGS_TOLD: usize = 20;
/// How long the longest bar is.
const BAR_WIDTH: f64 = 40.0;

/// Tells how many requests were answered, and how fast.
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
    table(latencies, out)
}

/// Tells how long answers took; each character of a bar stands for the same factor.
fn table(latencies: &Histogram<u64>, out: &mut impl Write) -> Result<()> {
    writeln!(out, "\nanswered after (bars are logarithmic)")?;
    let rows = [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99.9", 99.9), ("max", 100.0)];
    let logarithm = |micros: u64| f64::from(u32::try_from(micros).unwrap_or(u32::MAX).max(1)).ln();
    let (least, most) = (logarithm(latencies.min()), logarithm(latencies.max()));
    for (name, percent) in rows {
        let micros = latencies.value_at_percentile(percent);
        let share = if most > least { (logarithm(micros) - least) / (most - least) } else { 1.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 40")]
        let bar = "█".repeat((share.clamp(0.0, 1.0) * BAR_WIDTH).ceil() as usize);
        let millis = Duration::from_micros(micros).as_secs_f64() * 1_000.0;
        writeln!(out, "  {name:<6} {millis:>9.2} ms  {bar}")?;
    }
    Ok(())
}

/// Tells whether every balance is right, and which are not.
pub(super) fn verdict(verdict: &Verdict, out: &mut impl Write) -> Result<()> {
    let Verdict { accounts, wrong, unknown, surprises, first_surprises } = verdict;
    writeln!(out)?;
    for surprise in first_surprises {
        writeln!(out, "ODD: {surprise}")?;
    }
    if *surprises > 0 {
        writeln!(out, "{} answers cannot be right", HumanCount(*surprises))?;
    }
    if *unknown > 0 {
        writeln!(out, "{} orders have no known outcome: those accounts cannot be judged", unknown)?;
    }
    for finding in wrong.iter().take(FINDINGS_TOLD) {
        writeln!(out, "WRONG: {finding}")?;
    }
    if wrong.len() > FINDINGS_TOLD {
        writeln!(out, "… and {} more", wrong.len() - FINDINGS_TOLD)?;
    }
    if wrong.is_empty() && *unknown == 0 {
        let accounts = HumanCount(*accounts as u64);
        writeln!(out, "all {accounts} balances are exactly what was acknowledged")?;
    } else {
        let (wrong, accounts) = (HumanCount(wrong.len() as u64), HumanCount(*accounts as u64));
        writeln!(out, "{wrong} of {accounts} accounts are not what was acknowledged")?;
    }
    Ok(())
}
