//! The members of the workspace as cargo sees them, and how a command is run in it.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// This workspace: where it is, and its members.
#[derive(Debug)]
pub struct Workspace {
    /// The directory of the root manifest.
    pub root: PathBuf,
    /// Where cargo builds.
    pub target: PathBuf,
    /// The members, in cargo's order.
    pub packages: Vec<Package>,
}

/// One member.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// Its name in the manifest.
    pub name: String,
    /// Its directory below the root, with `/`: `crates/model`.
    pub dir: String,
    /// What its manifest depends on.
    pub dependencies: Vec<Dependency>,
    /// The names of its features, `default` left out.
    pub features: BTreeSet<String>,
    /// Whether it is to be published.
    pub published: bool,
    /// What it says of itself in one line.
    pub description: String,
    /// Its readme, below its directory.
    pub readme: String,
    /// Whether docs.rs documents it with all features.
    pub documented_whole: bool,
}

/// One dependency of a manifest, whatever the table or the platform it is declared for.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The package depended on, not the name it is renamed to.
    pub name: String,
    /// Whether tests, examples and benches alone see it.
    pub dev: bool,
}

impl Workspace {
    /// Asks cargo for the members.
    ///
    /// # Errors
    /// When a manifest does not parse, or cargo cannot be run.
    pub fn load() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let mut metadata = cargo_in(&root);
        metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
        let output = metadata.output().context("cargo does not start")?;
        if !output.status.success() {
            bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Self::parse(root, &serde_json::from_slice(&output.stdout)?)
    }

    fn parse(root: PathBuf, metadata: &Value) -> Result<Self> {
        let target = PathBuf::from(text(metadata, "target_directory")?);
        let packages = items(metadata, "packages")?;
        let packages = packages.iter().map(|p| Package::parse(&root, p)).collect::<Result<_>>()?;
        Ok(Self { root, target, packages })
    }

    /// The cargo that runs this task, started at the root.
    #[must_use]
    pub fn cargo(&self) -> Command {
        cargo_in(&self.root)
    }

    /// The text of a file, named from the root.
    ///
    /// # Errors
    /// When it cannot be read; the message names it.
    pub fn read(&self, file: impl AsRef<Path>) -> Result<String> {
        let path = self.root.join(file);
        fs::read_to_string(&path).with_context(|| format!("{} is not readable", path.display()))
    }
}

impl Package {
    fn parse(root: &Path, package: &Value) -> Result<Self> {
        let manifest = Path::new(text(package, "manifest_path")?);
        let dir = manifest.parent().unwrap_or(manifest).strip_prefix(root)?;
        let features =
            package["features"].as_object().context("no features in cargo's metadata")?;
        Ok(Self {
            name: text(package, "name")?.to_owned(),
            dir: dir.to_string_lossy().replace('\\', "/"),
            dependencies: items(package, "dependencies")?
                .iter()
                .map(Dependency::parse)
                .collect::<Result<_>>()?,
            features: features.keys().filter(|f| *f != "default").cloned().collect(),
            // `null` for any registry, a list of them otherwise
            published: package["publish"].as_array().is_none_or(|allowed| !allowed.is_empty()),
            description: package["description"].as_str().unwrap_or_default().to_owned(),
            readme: package["readme"].as_str().unwrap_or_default().to_owned(),
            documented_whole: package["metadata"]["docs"]["rs"]["all-features"] == true,
        })
    }
}

impl Dependency {
    fn parse(dependency: &Value) -> Result<Self> {
        Ok(Self {
            name: text(dependency, "name")?.to_owned(),
            dev: dependency["kind"].as_str() == Some("dev"),
        })
    }
}

/// Runs a command to its end, saying first what it runs.
///
/// # Errors
/// When it cannot be started or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let words: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let line = format!("{name} {}", words.join(" "));
    eprintln!("$ {line}");
    let status = command.status().with_context(|| format!("{line} does not start"))?;
    if !status.success() {
        bail!("{line} failed with {status}");
    }
    Ok(())
}

fn cargo_in(root: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().with_context(|| format!("no {key} in cargo's metadata"))
}

fn items<'a>(value: &'a Value, key: &str) -> Result<&'a [Value]> {
    Ok(value[key].as_array().with_context(|| format!("no {key} in cargo's metadata"))?)
}

impl Package {
    /// The name without `actum-`.
    #[must_use]
    pub fn short_name(&self) -> &str {
        short_name(&self.name)
    }
}

/// The name of a crate without `actum-`.
pub(crate) fn short_name(name: &str) -> &str {
    name.strip_prefix("actum-").unwrap_or(name)
}
