use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::ServerError;

/// Reads the process to watch from its input, line by line: its id, or `-` for none. The end of the input means that the
/// owner is dead: the process is ended and the directory deleted.
///
/// `$1` is the directory, `$2` the signal that ends the process at once and lets it tidy up.
const SCRIPT: &str = r#"
pid=-
while read -r line; do
    pid=$line
done
if [ "$pid" != - ]; then
    kill -"$2" "$pid"
    rounds=0
    while kill -0 "$pid" && [ "$rounds" -lt 100 ]; do
        sleep 0.05
        rounds=$((rounds + 1))
    done
    kill -KILL "$pid"
fi
rm -rf "$1"
"#;

/// A `sh` that outlives its owner by what it takes to end the owner's server and to delete its directory.
///
/// It hangs on a pipe of which the owner alone holds the other end, so it notices any end of the owner, SIGKILL too.
/// Statics are never dropped: a server that is kept in one is ended this way.
#[derive(Debug)]
pub(crate) struct Watchdog(Child);

impl Watchdog {
    /// Starts to watch over `directory`, and no process yet.
    pub(crate) fn start(directory: &Path, signal: &str) -> Result<Self, ServerError> {
        let mut sh = Command::new("sh");
        sh.args(["-c", SCRIPT, "watchdog"]).arg(directory).arg(signal);
        // a group of its own: what interrupts or kills the owner's does not reach it
        sh.process_group(0).current_dir("/");
        // it holds none of the owner's outputs open: a process that reads them would wait for it
        sh.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(sh.spawn().map_err(ServerError::io("starting a watchdog".to_owned()))?))
    }

    /// Watches over a child that was just started and is not waited for before [`forget`](Self::forget).
    pub(crate) fn watch(&mut self, pid: u32) {
        self.say(&pid.to_string());
    }

    /// The process has ended, and its id may become another's.
    pub(crate) fn forget(&mut self) {
        self.say("-");
    }

    fn say(&mut self, line: &str) {
        if let Some(input) = &mut self.0.stdin {
            // a watchdog that was killed costs the safety net, not the test
            let _ = input.write_all(format!("{line}\n").as_bytes());
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // its input is still open, so it has nothing to do, and will not have
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
