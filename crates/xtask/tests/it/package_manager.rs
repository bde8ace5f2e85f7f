use xtask::package_manager::{PackageManager, Rights, Server};

fn line(words: Option<Vec<&str>>) -> Option<String> {
    words.map(|words| words.join(" "))
}

#[test]
fn debian_installs_what_is_needed_and_asks_nothing() {
    let apt = PackageManager::Apt;
    let install = |server, rights| line(apt.install(server, rights));
    assert_eq!(
        install(Server::Postgres, Rights::Root).unwrap(),
        "env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql"
    );
    assert_eq!(
        install(Server::PgBouncer, Rights::Sudo).unwrap(),
        "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends pgbouncer"
    );
    assert_eq!(
        line(apt.update(Rights::Sudo)).unwrap(),
        "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get update"
    );
}

#[test]
fn nothing_of_the_system_is_installed_by_an_ordinary_user() {
    for manager in [PackageManager::Apt, PackageManager::Dnf, PackageManager::Apk] {
        assert_eq!(manager.install(Server::Postgres, Rights::None), None, "{manager:?}");
        assert_eq!(manager.update(Rights::None), None, "{manager:?}");
    }
}

#[test]
fn homebrew_is_never_root() {
    let brew = PackageManager::Brew;
    assert_eq!(brew.install(Server::Postgres, Rights::Root), None);
    for rights in [Rights::None, Rights::Sudo] {
        let install = line(brew.install(Server::Postgres, rights)).unwrap();
        assert!(install.ends_with("brew install --quiet postgresql"), "{install}");
        assert!(!install.contains("sudo"), "{install}");
    }
}

#[test]
fn every_manager_names_each_server_and_never_prompts() {
    for manager in PackageManager::ALL {
        let rights = if manager == PackageManager::Brew { Rights::None } else { Rights::Sudo };
        for (server, name) in [
            (Server::Postgres, "postgresql"),
            (Server::PgBouncer, "pgbouncer"),
            (Server::Nats, "nats-server"),
            (Server::Chromium, "chromium"),
        ] {
            let words = manager.install(server, rights).unwrap();
            assert!(words.last().unwrap().starts_with(name), "{words:?}");
            assert!(words[0] != "sudo" || words[1] == "-n", "{words:?}");
        }
    }
}
