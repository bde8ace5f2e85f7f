use super::meter::Meter;
use anyhow::Result;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{io::Write, time::Duration};
use tokio::time::{Instant, interval_at};

const SECOND: Duration = Duration::from_secs(1);

/// Shows every second what the meter says: in a bar on a terminal, else as lines to `out`.
pub(super) async fn show(meter: &Meter, duration: Duration, out: &mut impl Write) -> Result<()> {
    let bar = ProgressBar::with_draw_target(Some(duration.as_secs()), ProgressDrawTarget::stdout());
    let style = "{bar:20} {pos}/{len} s {wide_msg}";
    bar.set_style(ProgressStyle::with_template(style).expect("the template is a valid one"));
    let mut ticks = interval_at(Instant::now() + SECOND, SECOND);
    let mut before = meter.read();
    for second in 1..=duration.as_secs() {
        ticks.tick().await;
        let now = meter.read();
        let line = format!(
            "{:>7} requests/s   {} in flight   {} attempts failed{}",
            HumanCount(now.answered - before.answered).to_string(),
            now.in_flight,
            HumanCount(now.attempts_failed),
            why(meter, now.attempts_failed > before.attempts_failed)
        );
        if bar.is_hidden() {
            writeln!(out, "{second:>4} s  {line}")?;
            out.flush()?;
        } else {
            bar.set_position(second);
            bar.set_message(line);
        }
        before = now;
    }
    bar.finish_and_clear();
    Ok(())
}

fn why(meter: &Meter, failing: bool) -> String {
    let failure = meter.last_failure().filter(|_| failing);
    failure.map(|failure| format!(" ({failure})")).unwrap_or_default()
}
