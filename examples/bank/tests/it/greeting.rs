use crate::program::Program;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The words of a line, as a shell takes them apart.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for character in line.trim().chars() {
        match character {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    assert!(!quoted, "{line}");
    words
}

/// Does what curl does with a line.
async fn curl(line: &str) -> Value {
    let words = words(line);
    let (mut options, mut request) = (words[1..words.len() - 1].iter(), None);
    let (client, url) = (Client::builder().no_proxy().build().unwrap(), words.last().unwrap());
    let mut headers = Vec::new();
    while let Some(option) = options.next() {
        let value = options.next().unwrap();
        match option.as_str() {
            "-H" => headers.push(value.split_once(':').unwrap()),
            "-d" => request = Some(client.post(url).body(value.clone())),
            other => panic!("{other} in {line}"),
        }
    }
    let mut request = request.unwrap_or_else(|| client.get(url));
    for (name, value) in headers {
        request = request.header(name, value.trim());
    }
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{line} is {answer:?}");
    answer.json().await.unwrap()
}

#[tokio::test]
async fn every_line_that_the_bank_prints_can_be_pasted() {
    let directory = TempDir::new().unwrap();
    let mut bank = Program::start(&directory.path().join("bank.db"));
    bank.url().await;
    let kept = bank.line().await.unwrap();
    assert!(kept.contains(directory.path().to_str().unwrap()), "{kept}");
    let mut answers = Vec::new();
    // the line about load is the last one
    while let Some(line) = bank.line().await.filter(|line| !line.contains("cargo run")) {
        if line.trim().starts_with("curl ") {
            answers.push(curl(&line).await);
        }
    }
    let [opened, deposited, withdrawn, shown, history, statement, list, days, gift, again] =
        &answers[..]
    else {
        panic!("{answers:#?}");
    };
    assert_eq!(opened["owner"], "Ada");
    assert_eq!(deposited["balance"], 1500);
    assert_eq!(withdrawn["balance"], 1100);
    let expected = json!({ "account": "ada", "owner": "Ada", "status": "open", "balance": 1100, "revision": 3 });
    assert_eq!(*shown, expected);
    assert_eq!(history["events"].as_array().unwrap().len(), 3);
    assert_eq!(statement["lines"][2]["balance"], 1100);
    assert_eq!(
        (&days["days"][0]["deposited"], &days["days"][0]["withdrawn"]),
        (&json!(1500), &json!(400))
    );
    let listed = json!({ "accounts": [expected] });
    assert_eq!(*list, listed);
    assert_eq!((&gift["balance"], gift), (&json!(1200), again));
    bank.kill().await;
}
