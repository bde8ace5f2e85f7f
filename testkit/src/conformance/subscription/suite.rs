/// Expands to one test for each case of the [suite of subscriptions](crate::conformance::subscription).
///
/// It takes an async function, or a closure, from a [`JournalLayout`](actum_persistence::store::JournalLayout) to a
/// [`StoreFixture`](crate::conformance::StoreFixture) around a new, empty journal. Put it in a module of its own.
#[macro_export]
macro_rules! subscription_conformance {
    ($make:expr) => {
        $crate::contract_cases! { subscription; $make;
            Plain beginning:
                it_begins_where_it_is_said_when_it_is_created
                where_it_begins_counts_only_when_it_is_created
                a_transient_one_begins_behind_the_offset_of_another_and_keeps_nothing;
            CrowdedLanes delivering:
                what_was_there_and_what_comes_is_one_sequence;
            Plain delivering:
                what_the_selector_leaves_out_moves_the_checkpoint
                entities_streams_and_stored_events_are_sources
                one_entity_is_a_source
                what_cannot_be_decoded_is_parked_or_stops_it_as_is_set;
            Plain acknowledging:
                it_goes_on_behind_what_was_acknowledged
                what_is_not_in_flight_cannot_be_acknowledged
                events_are_acknowledged_up_to_a_place
                what_is_kept_is_never_ahead_of_the_oldest_event_that_is_not_acknowledged;
            Plain giving_back:
                what_is_given_back_comes_again_after_its_pause_and_in_order
                what_is_skipped_leaves_nothing
                what_is_parked_is_listed_and_replayed
                what_was_tried_in_vain_is_parked_with_its_reason
                what_a_consumer_has_for_too_long_goes_to_another_one
                one_that_stops_says_so_in_every_process_until_it_is_resumed;
            Plain competing:
                consumers_share_events_and_an_entity_stays_with_one
                no_more_consumers_join_than_are_set
                what_a_dead_consumer_had_goes_to_the_others_first
                a_consumer_has_no_more_in_flight_than_is_set;
            Plain processes:
                one_process_gets_the_events_until_it_gives_them_back
                a_process_that_dies_silently_is_replaced_and_keeps_nothing_later;
            Lanes processes:
                processes_that_come_and_go_leave_no_event_out;
            Plain forgetting:
                unsubscribing_keeps_and_deleting_forgets
                one_that_is_deleted_ends_its_consumers;
        }
    };
}
