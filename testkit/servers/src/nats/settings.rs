/// How a private server is set up. What is not said here is as NATS has it.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct NatsServerSettings {
    pub(crate) conf: Vec<(String, String)>,
}

impl NatsServerSettings {
    /// A line `name: value` of its configuration.
    pub fn with_conf(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.conf.push((name.into(), value.into()));
        self
    }
}
