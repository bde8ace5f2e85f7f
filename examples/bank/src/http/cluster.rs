//! The cluster as this bank sees it, for those who run it.

use super::{Problem, answer::json, problem_type::UNKNOWN_ROUTE};
use crate::Bank;
use axum::{extract::State, response::IntoResponse};
use serde::Serialize;

#[derive(Serialize)]
struct ShownCluster {
    cluster: String,
    /// The name of the node that answers.
    node: String,
    /// The version of the table of members and owners.
    version: u64,
    members: Vec<ShownMember>,
    /// The name of the owner of each partition, the first of partition 0; null where there is none.
    owners: Vec<Option<String>>,
    /// Partitions that this node claims or hands off.
    moving: Vec<u16>,
    links: Vec<ShownLink>,
    commands_held: usize,
    commands_sent: usize,
}

#[derive(Serialize)]
struct ShownMember {
    node: String,
    incarnation: u64,
    address: String,
    application_version: String,
    partitions: usize,
    is_leaving: bool,
}

#[derive(Serialize)]
struct ShownLink {
    node: String,
    is_connected: bool,
    buffered_bytes: usize,
    round_trip_micros: Option<u64>,
}

pub(super) async fn show(State(bank): State<Bank>) -> Result<impl IntoResponse, Problem> {
    let unknown = || {
        let detail = "this bank belongs to no cluster: start it with --cluster-listen";
        Problem::new(UNKNOWN_ROUTE, detail.to_owned())
    };
    let view = bank.cluster().ok_or_else(unknown)?;
    let name = |incarnation| {
        let member = view.members.iter().find(|member| member.incarnation == incarnation);
        member.map(|member| member.name.clone())
    };
    let members = view.members.iter().map(|member| ShownMember {
        node: member.name.clone(),
        incarnation: member.incarnation.get(),
        address: member.description.address.clone(),
        application_version: member.description.version.to_string(),
        partitions: member.partitions,
        is_leaving: member.is_leaving,
    });
    let links = view.links.iter().map(|link| ShownLink {
        node: link.peer.name.clone(),
        is_connected: link.connected_for.is_some(),
        buffered_bytes: link.buffered_bytes,
        round_trip_micros: link.round_trip.and_then(|time| time.as_micros().try_into().ok()),
    });
    let moving = view.partitions.iter().filter(|one| one.is_moving);
    Ok(json(&ShownCluster {
        cluster: view.cluster.clone(),
        node: name(view.me).unwrap_or_default(),
        version: view.version.get(),
        members: members.collect(),
        owners: view.partitions.iter().map(|one| one.owner.and_then(name)).collect(),
        moving: moving.map(|one| one.partition.nr()).collect(),
        links: links.collect(),
        commands_held: view.commands_held,
        commands_sent: view.commands_sent,
    }))
}
