//! A bank as a node of a cluster: from the command line to settings.

use crate::cli::ClusterArgs;
use actum::cluster::{Cluster, ClusterSecret, LinkSecurity, TlsFiles};
use anyhow::{Context, Result};
use std::{fs, path::Path};

impl ClusterArgs {
    /// The cluster to belong to, if one is wanted.
    ///
    /// # Errors
    /// When the secret cannot be read, or the version is none.
    pub fn cluster(&self) -> Result<Option<Cluster>> {
        let Some(listen) = &self.cluster_listen else { return Ok(None) };
        let mut cluster =
            Cluster::listen(listen).lease(self.cluster_lease).security(self.security()?);
        if let Some(node) = &self.cluster_node {
            cluster = cluster.node(node);
        }
        if let Some(address) = &self.cluster_advertised {
            cluster = cluster.advertised(address);
        }
        if let Some(version) = &self.cluster_version {
            let [major, minor, patch] = numbers(version).with_context(|| {
                format!("--cluster-version {version} is not a version such as 1.4.2")
            })?;
            cluster = cluster.application_version(major, minor, patch);
        }
        Ok(Some(cluster))
    }

    fn security(&self) -> Result<LinkSecurity> {
        let secret = self.cluster_secret.as_deref().map(secret_of).transpose()?;
        let files = match (&self.cluster_certificate, &self.cluster_key, &self.cluster_authorities)
        {
            (Some(certificate), Some(key), Some(authorities)) => {
                let files = TlsFiles::new(certificate, key, authorities);
                Some(match &self.cluster_peer_name {
                    Some(name) => files.with_peer_name(name),
                    None => files,
                })
            }
            _ => None,
        };
        Ok(match (files, secret) {
            (Some(files), Some(secret)) => LinkSecurity::tls(files, secret),
            (None, Some(secret)) if self.cluster_plaintext => {
                LinkSecurity::plaintext_in_a_network_that_is_trusted(secret)
            }
            (_, Some(secret)) => LinkSecurity::loopback_only().with_secret(secret),
            (_, None) => LinkSecurity::loopback_only(),
        })
    }
}

fn secret_of(file: &Path) -> Result<ClusterSecret> {
    let secret = fs::read(file);
    let secret = secret.with_context(|| format!("cannot read the secret in {}", file.display()))?;
    Ok(ClusterSecret::new(secret.trim_ascii()))
}

fn numbers(version: &str) -> Option<[u64; 3]> {
    let numbers: Result<Vec<u64>, _> = version.split('.').map(str::parse).collect();
    numbers.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn a_version_has_three_numbers() {
        assert_eq!(numbers("1.4.2"), Some([1, 4, 2]));
        for version in ["", "1", "1.4", "1.4.2.0", "1.4.x", "-1.0.0"] {
            assert_eq!(numbers(version), None, "{version}");
        }
    }
}
