use std::{collections::HashSet, thread};

use actum_test_servers::{TestPostgres, unique_name};

use crate::probes::psql;

#[test]
fn shared_server_is_one_for_the_whole_process() {
    let Some(shared) = TestPostgres::shared() else { return };
    let others: Vec<_> = (0..4).map(|_| thread::spawn(TestPostgres::shared)).collect();
    for other in others {
        assert!(std::ptr::eq(shared, other.join().unwrap().unwrap()));
    }
}

#[test]
fn tests_create_databases_of_their_own_in_the_shared_server() {
    let Some(shared) = TestPostgres::shared() else { return };
    let name = unique_name("servers");
    let Some(created) = psql(shared.admin_url(), &format!("create database {name}")) else {
        return;
    };
    created.unwrap();
    let current = psql(&shared.url(&name), "select current_database()").unwrap();
    assert_eq!(current.unwrap(), name);
    psql(shared.admin_url(), &format!("drop database {name}")).unwrap().unwrap();
}

#[test]
fn unique_names_differ_and_fit_postgres() {
    let names: HashSet<_> = (0..1_000).map(|_| unique_name("a_start_of_20_letter")).collect();
    assert_eq!(names.len(), 1_000);
    for name in names {
        assert!(name.len() <= 63, "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
    }
}
