use super::Listening;
use crate::{
    link::{LinkSettings, Links},
    transport::{MemoryNetwork, PeerNode, RactorTransport, TransportListener, TransportSettings},
};
use actum_persistence::{
    error_chain::full_text, settings_check::SettingsCheck, store::Incarnation,
};
use actum_runtime::StartError;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

/// How the nodes of a cluster reach each other.
#[derive(Clone, Debug)]
pub(super) enum Transport {
    /// Over the network: this node listens there.
    Tcp { listen: String, settings: Box<TransportSettings> },
    /// Within one process.
    Memory(MemoryNetwork),
}

impl Transport {
    pub(super) fn check(&self, is_advertised: bool, check: &mut SettingsCheck) {
        let Self::Tcp { listen, settings } = self else { return };
        let Some(address) = listens_at(listen) else {
            return check.problem(format!(
                "`cluster` listens on `{listen}`, it must be a host and a port, such as `10.0.0.7:7400`"
            ));
        };
        settings.check(check, address);
        if address.is_unspecified() && !is_advertised {
            check.problem(format!(
                "`cluster` listens on all addresses of `{listen}`: say by `.advertised(..)` where other nodes reach it"
            ));
        }
    }

    pub(super) async fn begin_to_listen(
        &self,
        cluster: String,
        link: LinkSettings,
    ) -> Result<Listening, StartError> {
        match self {
            Self::Memory(network) => {
                let network = network.clone();
                Ok(Listening {
                    address: "memory:0".to_owned(),
                    links: Box::new(move |own, sink| {
                        let transport = network.transport(own.incarnation);
                        Ok(Arc::new(Links::start(&cluster, &own, link, transport, sink)))
                    }),
                })
            }
            Self::Tcp { listen, settings } => {
                let failed = |error| StartError::Listening { address: listen.clone(), error };
                let listener = TransportListener::bind(listen).await.map_err(failed)?;
                let settings = settings.clone();
                // what is wrong with the certificates is found before the node joins
                let trial = listener.try_clone().map_err(failed)?;
                let trial_node = PeerNode::new(Incarnation::new(0), "trial", listen.as_str());
                if let Err(error) = RactorTransport::new(trial_node, trial, (*settings).clone()) {
                    let problems = vec![format!("`cluster`: {}", full_text(&error))];
                    return Err(StartError::Invalid { problems });
                }
                let address = listener.address().to_string();
                let links = move |own: PeerNode, sink| {
                    let of_system = |error: io::Error| error.to_string();
                    let listener = listener.try_clone().map_err(of_system)?;
                    let transport =
                        RactorTransport::new(own.clone(), listener, (*settings).clone());
                    let transport = transport.map_err(|error| full_text(&error))?;
                    Ok(Arc::new(Links::start(&cluster, &own, link, Arc::new(transport), sink)))
                };
                Ok(Listening { address, links: Box::new(links) })
            }
        }
    }
}

/// The address of `host:port` as far as it is known without asking anyone; that of a name counts as one of the network.
fn listens_at(listen: &str) -> Option<IpAddr> {
    if let Ok(address) = listen.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    let (host, port) = listen.rsplit_once(':')?;
    port.parse::<u16>().ok().filter(|_| !host.is_empty() && !host.contains(':'))?;
    let is_local = host == "localhost";
    Some(if is_local { Ipv4Addr::LOCALHOST.into() } else { NETWORK.into() })
}

/// Some address that is not of this machine (RFC 5737).
const NETWORK: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_where_it_is_written() {
        let known = |listen: &str| listens_at(listen).map(|address| address.to_string());
        assert_eq!(known("10.0.0.7:7400").as_deref(), Some("10.0.0.7"));
        assert_eq!(known("[::1]:7400").as_deref(), Some("::1"));
        assert_eq!(known("localhost:0").as_deref(), Some("127.0.0.1"));
        assert_eq!(known("node-1:7400").as_deref(), Some("192.0.2.1"));
        for listen in ["", ":7400", "host", "host:x", "::1:7400", "host:70000"] {
            assert_eq!(known(listen), None, "{listen}");
        }
    }
}
