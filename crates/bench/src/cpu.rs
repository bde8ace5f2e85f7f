//! Processor time of this process, where the system reports it.
//!
//! Beside other work on the same machine it says more than the time on the wall.

use std::{fs, time::Duration};

/// What all threads of the process that still run have spent; `None` where that is unknown.
pub(crate) fn spent() -> Option<Duration> {
    let threads = fs::read_dir("/proc/self/task").ok()?;
    let mut nanos = 0;
    for thread in threads {
        // a thread may end meanwhile
        let Ok(text) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else { continue };
        nanos += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanos))
}

/// What has been spent since `before`.
pub(crate) fn since(before: Option<Duration>) -> Option<Duration> {
    Some(spent()?.saturating_sub(before?))
}
