use toml::{Table, Value};

use crate::workspaces::real;

fn manifests() -> Vec<(String, Table)> {
    let workspace = real();
    let read = |dir: &str| workspace.read(format!("{dir}/Cargo.toml")).unwrap();
    workspace
        .packages
        .iter()
        .map(|p| (p.name.clone(), toml::from_str(&read(&p.dir)).unwrap()))
        .collect()
}

#[test]
fn every_member_inherits_the_lints_of_the_workspace() {
    for (name, manifest) in manifests() {
        let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
        assert_eq!(inherits, Some(true), "{name} does not say `[lints] workspace = true`");
    }
}

#[test]
fn every_dependency_is_declared_once_in_the_workspace() {
    for (name, manifest) in manifests() {
        let platforms =
            manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let platforms: Vec<_> = platforms.filter_map(Value::as_table).collect();
        for table in platforms.into_iter().chain([&manifest]) {
            for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
                let declared = table.get(kind).and_then(Value::as_table).into_iter().flatten();
                for (dependency, how) in declared {
                    // a published crate names members that its tests see by their path alone: cargo leaves those out of
                    // its package, where they would be circles
                    let keys = how.as_table().into_iter().flat_map(Table::keys);
                    let by_path = keys.eq(["path"]) && dependency.starts_with("actum-");
                    if kind == "dev-dependencies" && by_path {
                        continue;
                    }
                    let inherits = how.get("workspace").and_then(Value::as_bool);
                    assert_eq!(
                        inherits,
                        Some(true),
                        "{name} declares {dependency} beside the workspace's table"
                    );
                }
            }
        }
    }
}
