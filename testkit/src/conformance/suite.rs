/// Expands to one test for each case of the [conformance suite](crate::conformance).
///
/// It takes an async function, or a closure, from a [`JournalLayout`](actum_persistence::store::JournalLayout) to a
/// [`StoreFixture`](crate::conformance::StoreFixture) around a new, empty journal. Put it in a module of its own when
/// several stores, or several settings of one, are tested in one binary.
#[macro_export]
macro_rules! store_conformance {
    ($make:expr) => {
        $crate::conformance_cases! { $make;
            Lanes announcing:
                what_is_announced_is_what_a_reader_finds;
            Plain append:
                a_journal_no_one_has_written_to_is_empty
                the_events_of_an_entity_count_from_one_without_a_gap
                an_event_comes_back_as_it_was_written
                the_events_of_a_batch_lie_side_by_side_in_its_order
                a_confirmed_append_is_seen_through_every_handle_at_once
                two_kinds_with_the_same_id_are_two_entities;
            Plain batches:
                an_invalid_batch_stores_nothing
                one_conflicting_entity_among_thousands_fails_alone
                many_conflicting_entities_fail_and_the_others_are_stored
                a_batch_of_conflicting_entities_takes_no_position
                ten_thousand_events_of_one_entity_are_one_append
                ten_thousand_entities_are_one_batch;
            Plain bad_input:
                a_claim_without_proper_names_is_refused
                a_payload_without_proper_names_is_refused
                what_is_too_large_is_refused
                numbers_that_nothing_can_have_are_refused
                a_filter_of_names_that_nothing_has_is_refused;
            Plain largest:
                the_append_of_most_events_is_stored
                the_append_of_most_bytes_is_stored
                the_batch_of_most_entities_and_events_is_stored
                the_largest_batches_of_states_are_written
                the_writes_of_most_commands_are_stored
                many_large_snapshots_are_saved_together;
            Plain conflicts:
                an_append_that_expects_too_little_conflicts
                an_append_that_expects_too_much_conflicts
                an_append_behind_another_writer_stores_not_even_what_would_fit
                the_same_append_sent_twice_is_stored_once;
            Crowded conflicts:
                of_many_tasks_with_one_expected_number_exactly_one_wins
                of_two_writers_with_one_expected_number_exactly_one_wins;
            Crowded order:
                every_reader_sees_every_event_once_and_in_order
                a_confirmed_event_is_in_the_next_read
                positions_stay_dense_whatever_is_refused_in_between;
            Plain settle:
                a_stored_append_is_found_by_its_events
                an_append_that_was_never_sent_is_not_found
                foreign_events_are_not_taken_for_the_own
                the_appends_of_a_batch_are_distinguished
                an_append_whose_events_were_deleted_cannot_be_traced;
            Crowded settle:
                an_append_that_was_dropped_half_way_can_be_settled
                a_large_append_that_was_dropped_half_way_is_whole_or_absent;
            Plain fence:
                a_revoked_writer_writes_and_deletes_nothing
                a_writer_revoked_through_another_handle_is_fenced_too
                a_writer_that_released_its_slot_is_fenced
                an_incarnation_that_no_claim_returned_cannot_write
                revoking_a_writer_leaves_the_others_alone
                of_a_fenced_batch_nothing_is_stored;
            Crowded fence_races:
                when_a_revoke_returns_no_event_of_the_writer_comes_after
                when_a_revoke_returns_no_state_of_the_writer_comes_after
                when_a_claim_has_replaced_the_holder_no_event_of_it_comes_after
                when_a_claim_has_replaced_the_holder_no_state_of_it_comes_after;
            Plain slots:
                a_slot_is_refused_while_its_holder_lives
                a_released_slot_can_be_claimed_at_once
                a_slot_whose_holder_was_revoked_can_be_claimed
                the_slot_of_a_dead_holder_can_be_claimed
                a_holder_is_seen_with_its_lease
                a_renewal_does_not_change_the_length_of_the_lease
                a_holder_that_does_not_renew_can_be_replaced
                a_holder_that_has_renewed_keeps_the_slot
                only_the_holder_that_was_seen_is_replaced
                a_lease_that_ran_out_fences_no_one_by_itself
                slots_do_not_touch_each_other
                no_incarnation_is_given_twice
                a_late_release_does_not_touch_the_successor;
            Crowded slots:
                of_many_claimants_exactly_one_gets_the_slot
                of_many_who_replace_a_holder_exactly_one_gets_the_slot;
            Plain slot_border:
                a_node_keeps_a_single_engine_out
                a_single_engine_keeps_nodes_out
                behind_the_last_node_the_journal_is_free
                a_dead_holder_is_replaced_across_the_border
                a_node_that_renews_its_membership_is_not_replaced;
            Crowded slot_border:
                of_engines_and_nodes_that_claim_at_once_one_side_gets_the_journal;
            Plain members:
                the_first_member_makes_the_cluster
                members_see_each_other
                a_node_with_other_terms_is_refused
                only_the_holder_of_its_slot_joins
                a_member_that_joins_again_is_one_member
                a_renewal_is_seen_with_its_note
                owners_that_were_seen_are_not_returned_again
                one_that_leaves_is_fenced_and_its_slot_is_free
                an_incarnation_that_is_revoked_is_no_member
                a_member_that_does_not_renew_can_be_revoked
                a_member_that_has_renewed_stays
                only_another_member_revokes
                what_no_member_can_say_is_refused
                the_largest_description_and_note_come_back;
            Plain owners:
                a_partition_without_an_owner_is_claimed
                a_partition_stays_with_its_owner
                a_claim_of_another_epoch_gets_nothing
                only_its_owner_releases_a_partition
                roles_do_not_touch_each_other
                what_an_ended_member_owned_is_free
                only_members_own_partitions
                what_no_partition_is_is_refused
                all_partitions_are_claimed_in_one_call;
            Crowded owners:
                of_many_claimants_one_gets_each_partition
                a_claim_beside_a_revocation_leaves_nothing;
            Plain owned_writes:
                a_member_writes_what_it_owns
                a_write_to_what_is_not_owned_is_refused_alone
                what_is_not_owned_is_refused_wherever_it_is
                a_partition_is_written_by_its_owner_of_the_moment
                what_was_refused_is_stored_once_it_is_owned
                a_write_that_names_no_role_has_no_owner
                a_revoked_member_is_fenced_whatever_it_owned
                of_a_large_batch_what_is_owned_is_stored
                a_write_in_what_is_no_role_is_invalid;
            Crowded owned_races:
                when_a_release_returns_no_event_of_the_owner_comes_after
                when_a_release_returns_no_state_of_the_owner_comes_after
                a_partition_that_is_handed_over_has_one_writer_at_a_time
                an_owner_writes_on_while_other_partitions_of_it_come_and_go;
            Plain filters:
                kinds_are_compared_exactly
                a_manifest_selects_itself_and_what_is_below_it
                a_range_of_partitions_selects_the_entities_in_it
                the_parts_of_a_filter_hold_together
                a_reader_gets_past_everything_it_filters_out;
            Plain pages:
                a_page_has_at_most_as_many_events_as_asked_for
                a_page_has_at_most_as_many_bytes_as_asked_for
                a_page_starts_right_behind_what_the_reader_has
                many_entities_are_read_in_one_call;
            Plain backward:
                an_entity_is_read_from_its_end
                an_event_read_backward_is_the_one_read_forward
                a_page_read_backward_keeps_to_its_bytes
                reading_backward_ends_at_what_was_deleted;
            Lanes listing:
                entities_are_listed_in_the_order_of_their_ids;
            Plain listing:
                a_prefix_selects_the_ids_that_begin_with_it
                a_list_says_how_far_its_entities_have_come
                states_are_listed_beside_tombstones
                kinds_are_listed_once
                a_list_of_what_cannot_be_is_refused;
            Plain payloads:
                an_empty_payload_is_stored
                payloads_of_sixteen_mebibytes_come_back_whole
                large_snapshots_and_states_come_back_whole;
            Plain names:
                ids_are_compared_byte_by_byte
                kinds_are_compared_byte_by_byte
                kind_and_id_do_not_run_into_each_other;
            Lanes lanes:
                each_lane_is_dense_on_its_own
                an_append_moves_the_head_of_its_own_lane
                an_entity_of_another_lane_makes_a_batch_invalid
                a_lane_the_journal_does_not_have_cannot_be_read
                one_read_reaches_entities_of_every_lane
                lanes_go_on_when_the_journal_is_opened_again;
            CrowdedLanes lanes:
                lanes_are_written_side_by_side_under_one_fence;
            Plain snapshots:
                a_snapshot_comes_back_as_it_was_saved
                a_load_finds_the_newest_that_is_not_too_new
                saving_the_same_number_again_replaces
                many_snapshots_are_saved_together
                snapshots_are_listed_from_the_newest
                snapshots_are_deleted_by_their_numbers
                snapshots_of_many_entities_are_deleted_in_one_call
                a_snapshot_that_covers_no_event_is_invalid
                snapshots_behave_as_a_plain_map_would;
            Plain recovery:
                recovery_reads_the_newest_snapshot_and_what_is_behind_it
                many_entities_recover_in_one_call
                recovery_works_on_what_retention_has_left
                a_snapshot_ahead_of_the_journal_is_skipped
                a_snapshot_of_another_history_is_never_used
                a_snapshot_of_the_older_format_is_used_where_events_are_deleted
                a_damaged_snapshot_is_skipped;
            Crowded recovery:
                recovery_is_consistent_while_retention_runs;
            Plain retention:
                deleted_events_are_gone_and_the_floor_tells
                numbers_go_on_after_everything_was_deleted
                numbers_go_on_after_everything_was_deleted_and_reopened
                deleting_past_the_head_is_invalid
                the_floor_never_sinks
                what_a_reader_has_not_read_is_kept
                a_call_for_too_many_entities_is_refused
                readers_get_past_what_was_deleted;
            Lanes retention:
                events_of_many_entities_are_deleted_in_one_call;
            Plain states:
                a_state_comes_back_as_it_was_written
                a_write_moves_the_revision_as_far_as_it_says
                a_tombstone_keeps_the_revision
                a_state_that_never_was_can_be_deleted
                an_invalid_batch_of_states_stores_nothing
                many_states_are_written_and_loaded_together
                a_damaged_state_is_corrupt_and_no_tombstone
                the_model_of_a_kind_is_known;
            Plain commands:
                commands_come_back_as_they_were_written
                a_write_that_conflicts_leaves_commands_alone
                commands_that_are_not_needed_do_not_pile_up
                many_commands_are_read_page_by_page
                an_invalid_list_of_commands_stores_nothing;
            Plain state_conflicts:
                a_write_at_another_revision_conflicts
                conflicting_entities_of_a_batch_of_states_fail_alone
                a_write_is_settled_by_its_id
                a_write_that_was_written_over_is_not_called_lost;
            Crowded state_conflicts:
                of_many_tasks_with_one_expected_revision_exactly_one_wins
                a_large_batch_of_states_that_was_dropped_half_way_is_whole_or_absent;
            Plain changes:
                a_journal_without_states_has_no_changes
                a_change_comes_back_as_it_was_written
                an_entity_has_one_change_the_last
                the_changes_of_a_batch_lie_in_its_order
                what_is_not_written_is_no_change
                changes_are_counted_apart_from_events
                changes_are_filtered
                pages_of_changes_keep_to_their_limits
                a_read_of_changes_that_cannot_be_is_refused
                changes_go_on_when_the_journal_is_opened_again;
            Lanes changes:
                each_lane_has_changes_of_its_own;
            CrowdedLanes change_order:
                every_reader_ends_with_the_last_state_of_every_entity;
            Plain change_order:
                a_write_that_was_dropped_half_way_is_a_change_or_never_becomes_one;
            Plain closing:
                an_append_beside_closing_is_stored_or_unavailable
                a_state_beside_closing_is_written_or_unavailable;
            Plain reopen:
                everything_is_there_after_a_close
                everything_is_there_after_a_crash
                appends_under_way_at_a_crash_are_stored_whole_or_not
                a_closed_handle_refuses_everything;
            Plain large_numbers:
                positions_go_on_past_what_fits_into_a_number_of_32_bits
                sequence_numbers_go_on_past_what_fits_into_32_bits;
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
