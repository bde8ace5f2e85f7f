use super::{
    clients::Clients,
    key::KEYS,
    nodes::{DemoNode, NodeState, Nodes},
};
use crate::client::Client;
use anyhow::Result;
use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};
use tokio::time::timeout;

/// How long a node may take to say what it sees.
const VIEW_TIMEOUT: Duration = Duration::from_millis(300);

/// Where it is drawn: the screen is cleared there, or the view is one of many.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Draws who owns what, and how the clients fare.
pub(super) async fn draw(
    nodes: &mut Nodes,
    clients: &Clients,
    says: &str,
    out: &mut impl Write,
) -> Result<()> {
    nodes.look();
    let mut owned = None;
    for node in nodes.all().iter().filter(|node| node.state == NodeState::Runs) {
        if let Some(client) = &node.client
            && let Ok(Ok(members)) = timeout(VIEW_TIMEOUT, client.cluster_members()).await
        {
            owned = Some(members);
            break;
        }
    }
    let owned = owned.unwrap_or_default();
    let mut text = String::new();
    if io::stdout().is_terminal() {
        text.push_str(CLEAR);
    }
    text.push_str("node      partitions  of 256\n");
    for node in nodes.all() {
        text.push_str(&line(node, &owned));
    }
    let tallied = clients.tally().take();
    text.push_str(&format!("\n{tallied}\n{KEYS}\n{says}\n"));
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

fn line(node: &DemoNode, owned: &[(String, usize)]) -> String {
    let count = owned.iter().find(|(name, _)| *name == node.name).map_or(0, |(_, count)| *count);
    let state = match node.state {
        NodeState::Runs => "",
        NodeState::Frozen => "frozen",
        NodeState::Stops => "is ending",
        NodeState::Ended => "has ended",
    };
    format!("{:<8}  {count:>10}  {:<32} {state}\n", node.name, "█".repeat(count / 8))
}

/// What the view needs of a node.
impl Client {
    /// The members of the cluster as a node sees them, and how many partitions each of them owns.
    async fn cluster_members(&self) -> Result<Vec<(String, usize)>> {
        let view = self.cluster().await?;
        Ok(view.members.into_iter().map(|member| (member.node, member.partitions)).collect())
    }
}
