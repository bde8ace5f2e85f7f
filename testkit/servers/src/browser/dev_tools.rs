use std::{io, net::TcpStream, time::Duration};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, client};

use crate::ServerError;

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Speaks the DevTools protocol to one page of a browser.
#[derive(Debug)]
pub(super) struct DevTools {
    socket: WebSocket<TcpStream>,
    session: Option<String>,
    asked: u64,
}

impl DevTools {
    /// Connects to the browser that listens at this port and path.
    pub(super) fn connect(port: u16, path: &str) -> Result<Self, ServerError> {
        let connect = || {
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_read_timeout(Some(ANSWER_LIMIT))?;
            client(format!("ws://127.0.0.1:{port}{path}"), stream)
                .map(|(socket, _)| socket)
                .map_err(|error| io::Error::other(error.to_string()))
        };
        let socket = connect().map_err(ServerError::io("speaking to Chromium"))?;
        Ok(Self { socket, session: None, asked: 0 })
    }

    /// Opens a page, of which is spoken from then on.
    pub(super) fn open_page(&mut self, width: u32, height: u32) -> Result<(), ServerError> {
        let page = self.ask("Target.createTarget", &json!({ "url": "about:blank" }))?;
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = self.ask("Target.attachToTarget", &attach)?;
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": true });
        self.ask("Emulation.setDeviceMetricsOverride", &size)?;
        Ok(())
    }

    /// Asks for something, and waits for the answer.
    pub(super) fn ask(&mut self, method: &str, parameters: &Value) -> Result<Value, ServerError> {
        self.asked += 1;
        let mut question = json!({ "id": self.asked, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            question["sessionId"] = json!(session);
        }
        let mut answer = self.exchange(&question).map_err(ServerError::io(method))?;
        if let Some(error) = answer.get("error") {
            return Err(ServerError::Failed {
                program: "Chromium".to_owned(),
                output: format!("{method}: {error}"),
            });
        }
        Ok(answer["result"].take())
    }

    fn exchange(&mut self, question: &Value) -> io::Result<Value> {
        let lost = |error: tungstenite::Error| io::Error::other(error.to_string());
        self.socket.send(Message::text(question.to_string())).map_err(lost)?;
        loop {
            // what is no answer is an event, of which nothing is asked
            let said = self.socket.read().map_err(lost)?;
            let Message::Text(text) = said else { continue };
            let said: Value = serde_json::from_str(&text)?;
            if said["id"] == question["id"] {
                return Ok(said);
            }
        }
    }
}
