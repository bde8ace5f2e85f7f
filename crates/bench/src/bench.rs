use crate::{
    arguments::Arguments, drive::Window, journal::Prefilled, postgres::Server, site::Site,
};
use anyhow::Result;

/// What every row is measured with.
pub(crate) struct Bench {
    pub(crate) window: Window,
    pub(crate) site: Site,
    pub(crate) prefilled: Prefilled,
}

impl Bench {
    pub(crate) fn new(arguments: &Arguments, postgres: Option<Server>) -> Self {
        let site = Site::new(arguments.directory.clone(), postgres);
        let prefilled = Prefilled::new(arguments.prefill, arguments.directory.clone());
        Self { window: arguments.window(), site, prefilled }
    }

    /// Leaves nothing behind.
    pub(crate) async fn close(self) -> Result<()> {
        self.prefilled.delete().await
    }
}
