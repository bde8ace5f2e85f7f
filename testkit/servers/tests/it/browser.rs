use std::time::Duration;

use actum_test_servers::{Browser, available};
use serde_json::json;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn browser_shows_a_page_and_says_what_is_in_it() {
    let Some(program) = available(Browser::find()) else { return };
    let mut browser = Browser::start(&program, (360, 640)).unwrap();
    browser.open("data:text/html,<meta name=viewport content=width=device-width><title>hello</title><p id=it>there</p>").unwrap();
    assert!(browser.until("document.title === 'hello'", LONG).unwrap());
    let there = browser.evaluate("document.getElementById('it').textContent").unwrap();
    assert_eq!(there, json!("there"));
    assert_eq!(browser.evaluate("innerWidth").unwrap(), json!(360));
    assert_eq!(browser.evaluate("Promise.resolve({ a: [1] })").unwrap(), json!({ "a": [1] }));
    let error = browser.evaluate("nothing.there").unwrap_err().to_string();
    assert!(error.contains("nothing is not defined"), "{error}");
    assert!(!browser.until("false", Duration::from_millis(50)).unwrap());
    // a PNG, in base64
    assert!(browser.screenshot().unwrap().starts_with("iVBORw0KGgo"));
}
