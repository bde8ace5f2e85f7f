/// Expands to one test for each case of the [suite of progress](crate::conformance::progress).
///
/// It takes an async function, or a closure, without arguments, that returns a
/// [`ProgressFixture`](crate::conformance::progress::ProgressFixture) around a new, empty store. Put it in a module of its
/// own: the cases have the names they have.
#[macro_export]
macro_rules! progress_conformance {
    ($make:expr) => {
        $crate::contract_cases! { progress; $make;
            Plain entering:
                a_projection_begins_as_it_was_entered
                the_first_one_that_enters_decides
                what_was_never_entered_is_not_there
                projections_are_listed_in_order
                the_first_version_of_a_name_is_active
                of_a_deleted_projection_nothing_is_left;
            Crowded entering:
                of_many_that_enter_one_projection_one_decides;
            Plain activating:
                an_activated_version_is_the_active_one
                segments_of_both_versions_get_the_next_epoch_and_no_owner
                live_begins_where_the_former_version_has_saved
                live_begins_behind_the_segments_of_a_lane
                a_version_without_a_former_one_becomes_active
                an_activation_of_what_has_changed_since_is_stale
                an_activation_in_place_of_another_version_is_stale
                a_version_of_another_journal_is_not_activated;
            Crowded activating:
                a_save_and_an_activation_that_meet_see_each_other
                of_many_activations_exactly_one_is_kept;
            Plain runners:
                every_renewal_is_counted
                runners_are_listed_by_their_names
                dead_runners_are_removed_unless_they_have_renewed
                a_dead_runner_keeps_its_segments
                who_leaves_gives_its_segments_back
                runners_do_not_touch_each_other;
            Crowded runners:
                renewals_at_once_are_counted;
            Plain renewing:
                many_runners_renew_in_one_call
                two_runners_of_a_projection_renew_in_one_call
                the_dead_of_many_projections_are_removed_in_one_call
                many_projections_are_loaded_in_one_call
                as_many_as_may_be_are_asked_for_at_once
                what_a_call_cannot_be_about_is_refused;
            Crowded renewing:
                calls_about_the_same_projections_at_once_are_counted
                a_deletion_fails_no_renewal_of_another_projection;
            Plain claims:
                a_free_segment_is_claimed
                a_claim_in_another_epoch_gets_nothing
                a_claim_that_names_another_owner_gets_nothing
                an_owner_that_does_not_renew_is_replaced
                an_owner_that_has_renewed_keeps_its_segment
                an_owner_that_is_no_runner_is_replaced
                a_segment_that_is_not_there_cannot_be_claimed;
            Crowded claims:
                of_many_claimants_exactly_one_gets_the_segment
                of_many_who_replace_an_owner_exactly_one_gets_the_segment
                a_claim_and_a_renewal_that_meet_see_each_other;
            Plain epochs:
                a_save_does_not_change_the_epoch
                an_epoch_that_no_claim_has_given_is_stale
                who_was_replaced_changes_nothing
                who_has_given_a_segment_back_changes_nothing
                who_was_rewound_changes_nothing
                who_was_divided_changes_nothing
                a_segment_that_is_not_there_is_stale;
            Crowded meeting:
                a_save_and_a_claim_that_meet_see_each_other
                a_save_and_a_rewind_that_meet_see_each_other
                a_save_and_a_division_that_meet_see_each_other
                a_save_and_a_deletion_that_meet_leave_nothing
                a_claim_and_a_division_that_meet_are_not_both_kept
                of_many_rewinds_exactly_one_is_kept;
            Plain stopping:
                a_released_segment_has_no_owner
                a_stopped_segment_is_not_claimed_until_it_is_resumed
                ending_a_pause_resumes_all_segments
                a_pause_is_kept_until_it_is_ended;
            Plain saving:
                a_save_is_kept
                progress_comes_back_as_it_was_saved
                what_could_not_be_handled_is_kept_with_the_save
                what_is_kept_again_takes_the_place_of_what_was
                replayed_entities_come_further_or_are_free
                letters_that_were_handled_are_gone
                what_is_freed_and_kept_again_is_kept
                nothing_is_kept_of_nothing
                a_large_save_is_kept_whole;
            Plain rewinding:
                all_segments_begin_where_a_rewind_says
                a_rewind_forgets_what_is_parked
                a_rewind_keeps_the_letters_it_does_not_come_by_again
                a_stopped_segment_goes_on_after_a_rewind
                a_rewind_of_what_has_changed_since_is_stale;
            Plain dividing:
                a_segment_is_split
                segments_are_merged
                divided_segments_have_no_owner_and_the_next_epoch
                a_division_of_what_has_changed_since_is_stale
                a_division_into_other_partitions_is_refused;
            Plain parking:
                parked_entities_are_listed_in_order
                a_page_starts_behind_an_entity_that_need_not_be_parked
                parked_entities_are_listed_by_their_partitions
                parked_entities_are_asked_for_something;
            Plain letters:
                letters_are_listed_in_the_order_of_their_places
                a_page_starts_behind_a_place_that_need_not_have_a_letter
                letters_are_listed_by_their_partitions
                letters_are_asked_to_be_replayed
                letters_are_discarded;
            Plain odd_values:
                a_large_projection_comes_back_whole
                a_projection_of_all_kinds_names_none
                runners_and_reasons_come_back_as_they_are
                what_could_not_be_handled_comes_back_as_it_is
                a_rewind_goes_anywhere;
            Plain reopening:
                everything_is_there_after_a_close
                everything_is_there_after_a_crash
                every_handle_sees_what_is_kept
                a_closed_handle_refuses_everything;
        }
    };
}

/// One `#[test]` a case, for the suites of other contracts than that of a journal.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_cases {
    ($contract:ident; $make:expr; $plan:ident $theme:ident: $($case:ident)+; $($more:tt)*) => {
        $(
            #[test]
            fn $case() {
                $crate::conformance::$contract::run(
                    $crate::conformance::Plan::$plan,
                    $make,
                    $crate::conformance::$contract::$theme::$case,
                );
            }
        )+
        $crate::contract_cases! { $contract; $make; $($more)* }
    };
    ($contract:ident; $make:expr;) => {};
}
