use actum_model::{Lane, LaneCount, Offset, Position};

fn positions(numbers: &[u64]) -> Vec<Position> {
    numbers.iter().copied().map(Position::new).collect()
}

#[test]
fn beginning_is_before_the_first_event_of_every_lane() {
    let offset = Offset::beginning(LaneCount::new(3).unwrap());
    assert_eq!(offset.positions(), positions(&[0, 0, 0]));
    assert_eq!(offset.position(Lane::new(2)), Position::ZERO);
}

#[test]
fn advance_moves_one_lane_and_never_back() {
    let mut offset = Offset::beginning(LaneCount::new(2).unwrap());
    offset.advance(Lane::new(1), Position::new(7));
    offset.advance(Lane::new(1), Position::new(3));
    assert_eq!(offset.positions(), positions(&[0, 7]));
    assert_eq!(offset, Offset::of_positions(positions(&[0, 7])));
}

#[test]
fn a_lane_that_does_not_exist_was_read_to_zero() {
    let offset = Offset::of_positions(positions(&[5]));
    assert_eq!(offset.position(Lane::new(1)), Position::ZERO);
}

#[test]
#[should_panic(expected = "one position for each lane")]
fn advance_of_a_lane_that_does_not_exist_panics() {
    Offset::beginning(LaneCount::default()).advance(Lane::new(1), Position::new(1));
}

#[test]
fn positions_count_past_two_to_the_31_and_order_as_numbers() {
    let far = Position::new(u64::from(u32::MAX) - 1);
    assert_eq!(far.plus(3).get(), 1 << 32 | 1);
    assert!(far < far.plus(1) && Position::ZERO < Position::new(1));
    assert_eq!(far.plus(2).to_string(), "4294967296");
}

#[test]
#[should_panic(expected = "fewer than 2^64")]
fn a_position_does_not_wrap() {
    let _ = Position::new(u64::MAX).plus(1);
}
