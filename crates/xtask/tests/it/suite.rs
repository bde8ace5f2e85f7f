use xtask::suite::c_compiler;

#[test]
fn missing_c_compiler_is_said_with_the_way_to_get_one() {
    let message = c_compiler("no-such-compiler -O2").unwrap_err().to_string();
    for part in ["no-such-compiler", "apt-get install build-essential", "CC"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn compiler_may_be_named_with_arguments() {
    c_compiler("rustc -O").unwrap();
}
