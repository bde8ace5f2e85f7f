/// Expands to one test for each case of the [suite of projections](crate::conformance::projection).
///
/// It takes an async function, or a closure, from a [`JournalLayout`](actum_persistence::store::JournalLayout) to a
/// [`StoreFixture`](crate::conformance::StoreFixture) around a new, empty journal. Put it in a module of its own.
#[macro_export]
macro_rules! projection_conformance {
    ($make:expr) => {
        $crate::contract_cases! { projection; $make;
            CrowdedLanes handling:
                every_event_is_handled_in_the_order_of_its_entity;
            Plain handling:
                it_goes_on_behind_what_was_saved
                entities_and_streams_are_handled_together;
            CrowdedLanes handling:
                the_last_state_of_every_entity_is_handled;
            Plain failing:
                an_event_that_fails_is_tried_again_before_later_ones
                an_event_that_is_given_up_is_a_dead_letter_and_is_replayed
                a_parked_entity_is_held_back_in_every_process_and_replayed_in_order
                a_segment_that_stops_says_why_and_goes_on_when_it_is_resumed;
            Plain controlling:
                it_begins_where_it_is_said_and_goes_on_where_it_was
                a_paused_one_handles_nothing_until_it_is_resumed
                a_rewound_one_handles_again_what_is_behind_that;
            CrowdedLanes dividing:
                segments_are_split_and_merged_while_events_come;
            Lanes processes:
                processes_share_the_segments_and_take_over_what_is_given_back;
            Plain processes:
                a_process_that_dies_silently_is_replaced_and_keeps_nothing_later;
        }
    };
}
