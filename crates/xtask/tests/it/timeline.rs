use anyhow::anyhow;
use xtask::timeline::{Outcome, Timeline};

#[test]
fn table_names_every_step_and_how_it_ended() {
    let mut timeline = Timeline::default();
    timeline.step("first", || Ok(Outcome::Done)).unwrap();
    timeline.step("second", || Ok(Outcome::Skipped("no tool".to_owned()))).unwrap();
    let error = timeline.step("third", || Err(anyhow!("broken"))).unwrap_err();
    assert_eq!(format!("{error:#}"), "third: broken");

    let table = timeline.to_string();
    let endings: Vec<_> =
        table.lines().map(|line| line.split_once(" s  ").expect("a time comes first").1).collect();
    assert_eq!(
        endings,
        ["first", "second           SKIPPED: no tool", "third            FAILED", "total"]
    );
}
