/// Expands to one test for each case of the [conformance suite](crate::conformance).
///
/// It takes an async function, or a closure, from a [`JournalLayout`](actum_persistence::store::JournalLayout) to a
/// [`StoreFixture`](crate::conformance::StoreFixture) around a new, empty journal. Put it in a module of its own when
/// several stores, or several settings of one, are tested in one binary.
#[macro_export]
macro_rules! store_conformance {
    ($make:expr) => {
        $crate::conformance_cases! { $make;
            Plain append:
                a_journal_nobody_has_written_to_is_empty
                the_events_of_an_entity_count_from_one_without_a_gap
                an_event_comes_back_as_it_was_written
                the_events_of_a_batch_lie_side_by_side_in_its_order
                a_confirmed_append_is_seen_through_every_handle_at_once
                two_kinds_with_the_same_id_are_two_entities;
            Plain conflicts:
                an_append_that_expects_too_little_conflicts
                an_append_that_expects_too_much_conflicts
                an_append_behind_a_stranger_stores_not_even_what_would_fit
                the_same_append_sent_twice_is_stored_once;
            Crowded conflicts:
                of_many_tasks_with_one_expected_number_exactly_one_wins
                of_two_writers_with_one_expected_number_exactly_one_wins;
        }
    };
}

/// One `#[test]` a case, for [`store_conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($make:expr; $plan:ident $theme:ident: $($case:ident)+; $($more:tt)*) => {
        $(
            #[test]
            fn $case() {
                $crate::conformance::run(
                    $crate::conformance::Plan::$plan,
                    $make,
                    $crate::conformance::$theme::$case,
                );
            }
        )+
        $crate::conformance_cases! { $make; $($more)* }
    };
    ($make:expr;) => {};
}
