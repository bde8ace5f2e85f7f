use super::ExactTargetFixture;
use crate::conformance::Plan;
use std::future::Future;

/// Creates a fixture and runs a case on it, on a runtime of its own.
/// [`exact_target_conformance!`](crate::exact_target_conformance) expands to calls of this.
///
/// # Panics
/// When the case fails.
pub fn run<Make, Made, Fixture, Case>(plan: Plan, make: Make, case: Case)
where
    Make: FnOnce() -> Made,
    Made: Future<Output = Fixture>,
    Fixture: ExactTargetFixture,
    Case: AsyncFnOnce(&Fixture),
{
    plan.run(async {
        let fixture = make().await;
        if fixture.is_available() {
            case(&fixture).await;
        }
    });
}
