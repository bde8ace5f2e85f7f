use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{chromium_program::ChromiumProgram, dev_tools::DevTools};
use crate::{
    ServerError,
    process::{Ready, ServerHome, ServerProcess},
};

const NAME: &str = "Chromium";
const PROFILE: &str = "profile";

/// How long it may take to come up: its first start on a machine is slow.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How often a condition is checked.
const CHECK_EVERY: Duration = Duration::from_millis(20);

/// It has no window and no sandbox, and asks no one in the world for anything.
const OPTIONS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--remote-debugging-port=0",
];

/// A Chromium without a window, with one page and a profile of its own. Dropping it kills it and deletes the profile.
#[derive(Debug)]
pub struct Browser {
    tools: DevTools,
    process: ServerProcess,
    home: ServerHome,
}

impl Browser {
    /// Finds the program.
    ///
    /// # Errors
    /// When it is not there.
    pub fn find() -> Result<ChromiumProgram, ServerError> {
        ChromiumProgram::find()
    }

    /// Starts one whose page has this width and height, in pixels.
    ///
    /// # Errors
    /// When it does not come up; the message has the end of its log.
    pub fn start(
        program: &ChromiumProgram,
        (width, height): (u32, u32),
    ) -> Result<Self, ServerError> {
        let mut home = ServerHome::create(NAME, "KILL")?;
        home.make_directory(PROFILE)?;
        let profile = home.path().join(PROFILE);
        let mut command = home.command(program.path());
        command.args(OPTIONS).arg(format!("--user-data-dir={}", profile.display()));
        command.env("HOME", home.path()).arg("about:blank");
        // it writes where it listens, port and path, once it does
        let (mut port, mut path) = (0, String::new());
        let mut process = home.start(&mut command, START_LIMIT, || {
            let written = fs::read_to_string(profile.join("DevToolsActivePort")).ok();
            let place = written.as_deref().and_then(place_of);
            let is_there = place.is_some();
            (port, path) = place.unwrap_or_default();
            is_there
        })?;
        let tools = DevTools::connect(port, &path).and_then(|mut tools| {
            tools.open_page(width, height)?;
            Ok(tools)
        });
        match tools {
            Ok(tools) => Ok(Self { tools, process, home }),
            Err(error) => {
                // what does not answer is not left behind; an error means that it has ended
                let _ = home.kill(&mut process);
                Err(error)
            }
        }
    }

    /// Goes to an address.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn open(&mut self, url: &str) -> Result<(), ServerError> {
        self.tools.ask("Page.navigate", &json!({ "url": url }))?;
        Ok(())
    }

    /// What an expression of JavaScript is in the page.
    ///
    /// # Errors
    /// When it throws, or the browser does not answer.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value, ServerError> {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.tools.ask("Runtime.evaluate", &asked)?;
        match answer.get("exceptionDetails") {
            None => Ok(answer["result"]["value"].take()),
            Some(thrown) => Err(ServerError::Failed {
                program: NAME.to_owned(),
                output: format!("{expression}: {thrown}"),
            }),
        }
    }

    /// Waits until an expression is true in the page; false when it is not so within `limit`.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn until(&mut self, expression: &str, limit: Duration) -> Result<bool, ServerError> {
        let deadline = Instant::now() + limit;
        loop {
            if self.evaluate(expression)? == Value::Bool(true) {
                return Ok(true);
            }
            if Instant::now() > deadline {
                return Ok(false);
            }
            // a time-out of its own pace: nothing tells when a page has changed
            if self.process.wait_until(CHECK_EVERY, || false) == Ready::Ended {
                return Err(ServerError::Ended { server: NAME, log: self.home.log() });
            }
        }
    }

    /// What the page looks like: a PNG in base64.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn screenshot(&mut self) -> Result<String, ServerError> {
        let taken = self.tools.ask("Page.captureScreenshot", &json!({ "format": "png" }))?;
        Ok(taken["data"].as_str().unwrap_or_default().to_owned())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // it has nothing to save; an error means that it has ended
        let _ = self.home.kill(&mut self.process);
    }
}

/// Port and path, a line each.
fn place_of(written: &str) -> Option<(u16, String)> {
    let (port, path) = written.split_once('\n')?;
    Some((port.parse().ok()?, path.trim().to_owned())).filter(|(_, path)| path.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path, process::Command};

    fn lives(pid: &str) -> bool {
        Command::new("sh")
            .args(["-c", &format!("kill -0 {pid}")])
            .output()
            .unwrap()
            .status
            .success()
    }

    #[test]
    fn browser_that_does_not_answer_is_not_left_running() {
        let directory = tempfile::tempdir().unwrap();
        let open_to_all = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o777));
        open_to_all(directory.path()).unwrap();
        let (program, pid) = (directory.path().join("chromium"), directory.path().join("pid"));
        // it says that it listens where no one does
        let script = format!(
            "#!/bin/sh\necho $$ > {}\nprintf '1\\n/devtools' > profile/DevToolsActivePort\nexec sleep 300\n",
            pid.display()
        );
        fs::write(&program, script).unwrap();
        open_to_all(&program).unwrap();
        let error = Browser::start(&ChromiumProgram::at(&program), (360, 640)).unwrap_err();
        assert!(error.to_string().contains("speaking to Chromium"), "{error}");
        let pid = fs::read_to_string(pid).unwrap();
        assert!(!lives(pid.trim()), "it still runs");
    }
}
