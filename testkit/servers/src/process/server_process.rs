use std::{
    fs::File,
    io::{self, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

/// How often a server that is coming up is checked.
const CHECK_EVERY: Duration = Duration::from_millis(5);

/// A server's first process and all that descend from it.
///
/// They share one standard output, to which servers write nothing, and which is a pipe: it ends when the last of them has
/// ended. So their end is waited for, not guessed from process ids.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    // behind a lock that is never taken, only to be shared: a receiver alone cannot be
    gone: Mutex<Receiver<()>>,
}

/// How waiting for a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// It is ready.
    Yes,
    /// All of its processes have ended.
    Ended,
    /// The time is over.
    NotYet,
}

/// What a process is asked; `KILL` asks nothing, see [`ServerProcess::kill`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    /// SIGTERM.
    Terminate,
    /// SIGINT.
    Interrupt,
    /// SIGQUIT.
    Quit,
    /// SIGSTOP, which no one can ignore.
    Stop,
    /// SIGCONT.
    Continue,
}

impl ServerProcess {
    /// Starts `command` with its standard error in `log`, in a process group of its own: what a terminal sends to the
    /// tests' group does not reach it.
    pub(crate) fn spawn(command: &mut Command, log: File) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).process_group(0);
        let mut child = command.spawn()?;
        let output = child.stdout.take();
        let (alive, gone) = sync_channel(1);
        thread::spawn(move || {
            let mut buffer = [0; 512];
            let mut output = output.expect("the output of the child is piped");
            while output.read(&mut buffer).is_ok_and(|read| read > 0) {}
            drop(alive);
        });
        Ok(Self { child, gone: Mutex::new(gone) })
    }

    /// The id of the first process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the first process has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    /// Waits until `ready` says so.
    pub(crate) fn wait_until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Ready {
        let deadline = Instant::now() + limit;
        loop {
            if ready() {
                return Ready::Yes;
            }
            if self.is_gone_within(CHECK_EVERY) {
                return Ready::Ended;
            }
            if Instant::now() > deadline {
                return Ready::NotYet;
            }
        }
    }

    /// Waits until the last process has ended; `false` when some still run after `limit`.
    pub(crate) fn wait_gone(&mut self, limit: Duration) -> bool {
        self.is_gone_within(limit) && self.child.wait().is_ok()
    }

    /// Sends a signal to the first process.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        let name = match signal {
            Signal::Terminate => "TERM",
            Signal::Interrupt => "INT",
            Signal::Quit => "QUIT",
            Signal::Stop => "STOP",
            Signal::Continue => "CONT",
        };
        // the shell's own `kill`: std has none, and the program of that name is not on every machine
        let script = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status()?;
        // the id is the child's until it is waited for, so this says that it may not be signalled
        if status.success() { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    /// Sends SIGKILL to the first process. The others, if any, must notice by themselves.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }

    fn is_gone_within(&mut self, limit: Duration) -> bool {
        let gone = self.gone.get_mut().unwrap_or_else(PoisonError::into_inner);
        gone.recv_timeout(limit) == Err(RecvTimeoutError::Disconnected)
    }
}
