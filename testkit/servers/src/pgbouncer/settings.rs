/// How a proxy is set up. What is not said here is as PgBouncer has it.
#[derive(Clone, Debug)]
#[must_use]
pub struct PgBouncerSettings {
    pub(crate) default_pool_size: u16,
    pub(crate) max_client_connections: u16,
    pub(crate) conf: Vec<(String, String)>,
}

impl Default for PgBouncerSettings {
    /// 2 connections to the server for 200 clients.
    fn default() -> Self {
        Self { default_pool_size: 2, max_client_connections: 200, conf: Vec::new() }
    }
}

impl PgBouncerSettings {
    /// How many connections to the server it opens for one database and user, at least 1; 2 by default, so that clients
    /// soon meet connections that others have used.
    pub fn with_default_pool_size(mut self, size: u16) -> Self {
        self.default_pool_size = size;
        self
    }

    /// How many clients may be connected at once; 200 by default.
    pub fn with_max_client_connections(mut self, max: u16) -> Self {
        self.max_client_connections = max;
        self
    }

    /// A line `name = value` of its section `[pgbouncer]`; it wins over what the other settings say.
    pub fn with_conf(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.conf.push((name.into(), value.into()));
        self
    }
}
