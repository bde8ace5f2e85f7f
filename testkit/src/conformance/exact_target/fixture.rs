use actum_persistence::progress::ExactTarget;
use async_trait::async_trait;

/// What a handler writes through.
type ConnectionOf<F> = <<F as ExactTargetFixture>::Target as ExactTarget>::Connection;

/// One database under test, and what the suite must be able to do in it.
///
/// It is created without progress and rows, and dropped after the case. Failures of the fixture itself panic.
#[async_trait]
pub trait ExactTargetFixture: Send + Sync + 'static {
    /// What is tested.
    type Target: ExactTarget;

    /// Whether it can be had on this machine; true by default. Where it cannot, because there is no server say, the fixture
    /// returns that and the cases are skipped.
    fn is_available(&self) -> bool {
        true
    }

    /// Whether a transaction keeps everyone else who would write waiting, from its begin to its end, as in a database that
    /// has one writer at a time; false by default. Then the suite has one transaction open at a time.
    fn has_one_writer(&self) -> bool {
        false
    }

    /// Opens it, as one more process would: what it returns shares no memory of its own with what earlier calls returned,
    /// those are not closed, and both can be used side by side.
    async fn open(&self) -> Self::Target;

    /// Writes a row, in place of what was there, through the connection of a transaction, as a handler does.
    async fn write(&self, connection: &mut ConnectionOf<Self>, key: &str, value: &str);

    /// Reads a row so.
    async fn read(&self, connection: &mut ConnectionOf<Self>, key: &str) -> Option<String>;

    /// Does to the transaction of the connection what no handler should, whatever comes of it. False where it cannot be
    /// done, as by default; then the case is skipped.
    async fn misuse(&self, _connection: &mut ConnectionOf<Self>, _how: Misuse) -> bool {
        false
    }
}

/// What a handler does to a transaction that is not its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// It commits it.
    Commit,
    /// It rolls it back.
    Rollback,
    /// It runs a statement that fails, and goes on as if it had not.
    IgnoreError,
}
