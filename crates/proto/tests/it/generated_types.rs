use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// Set, the checked-in types are rewritten instead of compared.
const BLESS: &str = "ACTUM_BLESS";

#[test]
fn checked_in_types_are_generated_from_the_schemas() {
    let fresh = generate();
    if std::env::var_os(BLESS).is_some_and(|value| value == "1") {
        bless(&fresh);
    }
    assert_eq!(
        checked_in().keys().collect::<Vec<_>>(),
        fresh.keys().collect::<Vec<_>>(),
        "src/gen has other files than the schemas have packages; {BLESS}=1 rewrites it"
    );
    for (name, text) in &checked_in() {
        if *text != fresh[name] {
            panic!(
                "src/gen/{name} is not what its schemas say; {BLESS}=1 rewrites it{}",
                first_difference(text, &fresh[name])
            );
        }
    }
}

#[test]
fn generating_twice_gives_the_same_text() {
    assert_eq!(generate(), generate());
}

/// The text of each package's file, by name.
fn generate() -> BTreeMap<String, String> {
    let root = root_of_schemas();
    let mut schemas = Vec::new();
    find_schemas(&root, &mut schemas);
    schemas.sort();
    assert!(!schemas.is_empty(), "no schema below {}", root.display());

    let descriptors = protox::compile(&schemas, [&root]).expect("the schemas compile");
    let modules = descriptors
        .file
        .into_iter()
        .map(|file| (prost_build::Module::from_protobuf_package_name(file.package()), file));
    let mut config = prost_build::Config::new();
    config.bytes(["."]);
    // what is sent most is the largest, and is on the way for a moment
    config.type_attribute(
        ".actum.wire.v1.PeerMessage.content",
        "#[expect(clippy::large_enum_variant, reason = \"commands are what is sent most\")]",
    );
    config
        .generate(modules.collect())
        .expect("the schemas have Rust types")
        .into_iter()
        .map(|(module, text)| (module.to_file_name_or("root"), text))
        .collect()
}

fn checked_in() -> BTreeMap<String, String> {
    let files = fs::read_dir(generated()).expect("src/gen exists");
    files
        .map(|file| {
            let path = file.expect("src/gen can be listed").path();
            let name = path.file_name().and_then(OsStr::to_str).expect("file names are text");
            (name.to_owned(), fs::read_to_string(&path).expect("types can be read"))
        })
        .collect()
}

fn bless(fresh: &BTreeMap<String, String>) {
    for name in checked_in().keys().filter(|name| !fresh.contains_key(*name)) {
        fs::remove_file(generated().join(name)).expect("a stale file can be removed");
    }
    for (name, text) in fresh {
        fs::write(generated().join(name), text).expect("types can be written");
    }
}

fn find_schemas(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("proto/ can be listed") {
        let path = entry.expect("proto/ can be listed").path();
        if path.is_dir() {
            find_schemas(&path, found);
        } else if path.extension() == Some(OsStr::new("proto")) {
            found.push(path);
        }
    }
}

fn first_difference(old: &str, new: &str) -> String {
    let lines = old.lines().zip(new.lines()).enumerate();
    let (nr, (old, new)) = match lines.into_iter().find(|(_, (old, new))| old != new) {
        Some(found) => found,
        None => return String::from(": one is longer than the other"),
    };
    format!("\nline {}:\n  checked in: {old}\n  generated:  {new}", nr + 1)
}

fn root_of_schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto")
}

fn generated() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gen")
}
