/// What the compiler refuses, and that it says so in words that help.
///
/// After a change of a message: `TRYBUILD=overwrite cargo test -p actum-testkit compile_fail`, then read the difference.
#[test]
fn mistakes_do_not_compile_and_the_messages_are_readable() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
