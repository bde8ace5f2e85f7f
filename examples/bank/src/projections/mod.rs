//! `bank projections`: how far they are, and what can be done about them, asked of the bank that runs them.

mod shown;

pub use shown::ShownProjection;

use crate::{
    cli::{ProjectionsAction, ProjectionsArgs},
    client::Client,
};
use anyhow::{Result, bail};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use std::{io::Write, time::Duration};
use tokio::time::{Instant, interval};

/// How often a rebuild is checked.
const CHECK_EVERY: Duration = Duration::from_millis(100);
/// How long a rebuild may show no progress while nothing is wrong with it.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Does what the command line says, and writes to `out` what came of it.
///
/// # Errors
/// When no bank answers, it has no such projection, or what is asked for fails.
pub async fn run(args: &ProjectionsArgs, out: &mut impl Write) -> Result<()> {
    let client = Client::new(&*args.url)?;
    let (name, action) = match args.action.as_ref().unwrap_or(&ProjectionsAction::List) {
        ProjectionsAction::List => return list(&client, out).await,
        ProjectionsAction::Rebuild { name } => return rebuild(&client, name, out).await,
        ProjectionsAction::Divide { name, segments } => {
            let done = client.divide_projection(name, *segments).await?;
            writeln!(out, "{name}: {done}")?;
            return Ok(());
        }
        ProjectionsAction::Replay { name } => (name, "replay"),
        ProjectionsAction::Pause { name } => (name, "pause"),
        ProjectionsAction::Resume { name } => (name, "resume"),
    };
    let done = client.act_on_projection(name, action).await?;
    writeln!(out, "{name}: {done}")?;
    Ok(())
}

async fn list(client: &Client, out: &mut impl Write) -> Result<()> {
    let projections = client.projections().await?;
    writeln!(
        out,
        "{:<16} {:<9} {:>12} {:>10} {:>8} {:>8} {:>8} {:>8} {:>9}",
        "projection",
        "state",
        "lag, events",
        "lag",
        "events/s",
        "ETA",
        "parked",
        "letters",
        "segments"
    )?;
    for shown in projections {
        writeln!(
            out,
            "{:<16} {:<9} {:>12} {:>10} {:>8.0} {:>8} {:>8} {:>8} {:>9}",
            shown.name,
            shown.state,
            events(shown.lag_events),
            seconds(shown.lag_seconds),
            shown.rate,
            seconds(shown.eta_seconds),
            shown.parked,
            shown.dead_letters,
            shown.segments
        )?;
        if let Some(why) = shown.why {
            writeln!(out, "    {why}")?;
        }
    }
    Ok(())
}

/// A number of events that may not be known.
fn events(events: Option<u64>) -> String {
    events.map_or_else(|| "?".to_owned(), |events| HumanCount(events).to_string())
}

/// A time that may not be known.
fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "?".to_owned(), |seconds| format!("{seconds:.1} s"))
}

/// Has a projection begin again, and shows how far it is until it has come to where the journal ended then.
async fn rebuild(client: &Client, name: &str, out: &mut impl Write) -> Result<()> {
    client.act_on_projection(name, "rebuild").await?;
    let begun = Instant::now();
    let style = "{bar:30} {human_pos}/{human_len} events  {msg}";
    let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template(style)?);
    let (mut end, mut last, mut moved) = (None, None, Instant::now());
    let mut ticks = interval(CHECK_EVERY);
    loop {
        ticks.tick().await;
        let shown = client.projections().await?.into_iter().find(|shown| shown.name == name);
        let Some(shown) = shown else { bail!("the bank has no projection `{name}` any more") };
        if matches!(&*shown.state, "stopped" | "failed" | "paused" | "ended") {
            bail!("{name} is {}: {}", shown.state, shown.why.unwrap_or_default());
        }
        bar.set_message(format!("{:.0} events/s {}", shown.rate, shown.why.unwrap_or_default()));
        if let Some((read, lag)) = shown.read.zip(shown.lag_events) {
            // where it is to come to is fixed: the journal may grow for ever
            let end = *end.get_or_insert(read + lag);
            bar.set_length(end);
            bar.set_position(read.min(end));
            if read >= end {
                bar.finish_and_clear();
                let took = begun.elapsed().as_secs_f64();
                writeln!(out, "{name}: rebuilt from {} events in {took:.1} s", HumanCount(end))?;
                return Ok(());
            }
        }
        if shown.read != last {
            (last, moved) = (shown.read, Instant::now());
        } else if moved.elapsed() > SILENCE_MAX {
            bail!("{name} has made no progress for {SILENCE_MAX:?}; it goes on in the bank");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_that_is_not_known_is_not_shown_as_none() {
        let starting = ShownProjection::starting("days".to_owned(), None);
        assert_eq!(events(starting.lag_events), "?");
        let json = serde_json::to_value(&starting).expect("it is JSON");
        assert_eq!((json.get("read"), json.get("lag_events")), (None, None));
        assert_eq!(events(Some(1_234)), "1,234");
    }
}
