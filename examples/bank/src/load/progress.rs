use super::meter::Meter;
use anyhow::Result;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{io::Write, time::Duration};
use tokio::time::{Instant, Interval, interval_at};

const SECOND: Duration = Duration::from_secs(1);

/// Shows every second what the meter says while the bank is driven.
pub(super) async fn drive(meter: &Meter, duration: Duration, out: &mut impl Write) -> Result<()> {
    let mut progress = Progress::new(duration.as_secs(), "{bar:20} {pos}/{len} s {wide_msg}");
    let mut ticks = every_second();
    let mut before = meter.read();
    for second in 1..=duration.as_secs() {
        ticks.tick().await;
        let now = meter.read();
        let line = format!(
            "{:>7} requests/s   {} in flight   {} attempts failed{}",
            HumanCount(now.answered - before.answered).to_string(),
            now.in_flight,
            HumanCount(now.attempts_failed),
            why(meter)
        );
        progress.show(second, &line, &format!("{second:>4} s  {line}"), out)?;
        before = now;
    }
    progress.end();
    Ok(())
}

/// Shows every second how many of `total` accounts the meter has counted, until `work` is done; says what came of it.
pub(super) async fn count<T>(
    what: &str,
    total: u64,
    meter: &Meter,
    work: impl Future<Output = T>,
    out: &mut impl Write,
) -> Result<T> {
    let line = || {
        let counted = meter.accounts();
        let (done, all) = (HumanCount(counted), HumanCount(total));
        (counted, format!("{what} {done} of {all} accounts{}", why(meter)))
    };
    follow(total, line, work, out).await
}

/// Shows every second how many orders are not settled, until `work` is done; says what came of it.
pub(super) async fn settle<T>(
    clients: u64,
    meter: &Meter,
    work: impl Future<Output = T>,
    out: &mut impl Write,
) -> Result<T> {
    let line = || {
        let left = meter.read().in_flight;
        let line = format!("{} orders are not settled{}", HumanCount(left), why(meter));
        (clients.saturating_sub(left), line)
    };
    follow(clients, line, work, out).await
}

async fn follow<T>(
    total: u64,
    mut line: impl FnMut() -> (u64, String),
    work: impl Future<Output = T>,
    out: &mut impl Write,
) -> Result<T> {
    let mut progress = Progress::new(total, "{bar:20} {wide_msg}");
    let mut ticks = every_second();
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased; // what is done needs no progress any more
            done = &mut work => {
                progress.end();
                return Ok(done);
            }
            _ = ticks.tick() => {
                let (position, line) = line();
                progress.show(position, &line, &line, out)?;
            }
        }
    }
}

/// A bar on a terminal; lines where there is none.
struct Progress(ProgressBar);

impl Progress {
    fn new(total: u64, style: &str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stdout());
        let style = ProgressStyle::with_template(style).expect("the templates are valid ones");
        Self(bar.with_style(style))
    }

    fn show(&mut self, at: u64, message: &str, line: &str, out: &mut impl Write) -> Result<()> {
        if self.0.is_hidden() {
            writeln!(out, "{line}")?;
            out.flush()?;
        } else {
            self.0.set_position(at);
            self.0.set_message(message.to_owned());
        }
        Ok(())
    }

    fn end(self) {
        self.0.finish_and_clear();
    }
}

fn every_second() -> Interval {
    interval_at(Instant::now() + SECOND, SECOND)
}

fn why(meter: &Meter) -> String {
    meter.take_failure().map(|failure| format!(" ({failure})")).unwrap_or_default()
}
