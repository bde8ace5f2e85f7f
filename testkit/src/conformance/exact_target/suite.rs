/// Expands to one test for each case of the [suite of exact targets](crate::conformance::exact_target).
///
/// It takes an async function, or a closure, without arguments, that returns an
/// [`ExactTargetFixture`](crate::conformance::exact_target::ExactTargetFixture) around a new database. Put it in a module of
/// its own: the cases have the names they have.
#[macro_export]
macro_rules! exact_target_conformance {
    ($make:expr) => {
        $crate::contract_cases! { exact_target; $make;
            Plain committing:
                rows_and_progress_are_kept_together
                progress_is_kept_without_rows
                rows_are_kept_without_progress
                rows_and_a_rewind_are_kept_together
                of_a_stale_commit_nothing_is_kept
                a_transaction_sees_its_rows;
            Plain ending:
                rows_that_were_rolled_back_are_gone
                a_dropped_transaction_is_rolled_back
                a_commit_that_is_dropped_half_way_is_whole_or_absent
                a_transaction_that_a_handler_commits_is_broken
                a_transaction_that_a_handler_rolls_back_is_broken
                an_error_that_a_handler_ignores_loses_no_rows;
            Plain meeting:
                an_open_transaction_does_not_keep_a_claim_waiting
                an_open_transaction_does_not_keep_the_store_waiting
                two_transactions_are_open_at_once;
            Crowded meeting:
                a_commit_and_a_claim_that_meet_see_each_other
                a_commit_and_a_rewind_that_meet_see_each_other;
        }
    };
}
