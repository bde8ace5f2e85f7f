use std::time::Duration;

/// What one row gave in one round.
#[derive(Clone, Debug)]
pub(crate) struct Measurement {
    pub(crate) value: f64,
    pub(crate) latency: Option<Latency>,
    /// Microseconds of processor time for one, callers included.
    pub(crate) cpu_micros: Option<f64>,
    /// Events in a transaction, on average.
    pub(crate) batch: Option<f64>,
}

/// In microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Measurement {
    /// A plain number.
    pub(crate) fn of(value: f64) -> Self {
        Self { value, latency: None, cpu_micros: None, batch: None }
    }

    /// `count` in the time it `took`.
    pub(crate) fn rate(count: f64, took: Duration, cpu: Option<Duration>) -> Self {
        let cpu_micros = cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / count.max(1.0));
        Self { cpu_micros, ..Self::of(count / took.as_secs_f64()) }
    }

    /// What is in batches that were counted, so many in each.
    pub(crate) fn of_batches(self, size: usize) -> Self {
        let size = size as f64;
        let cpu_micros = self.cpu_micros.map(|cpu| cpu / size);
        Self { value: self.value * size, cpu_micros, batch: Some(size), ..self }
    }
}

/// The middle of some numbers; `None` of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(lower.midpoint(upper))
}
