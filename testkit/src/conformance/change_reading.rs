use actum_model::{Lane, Position};
use actum_persistence::store::{ChangeFilter, ChangePage, ChangedState, PageLimit, Stores};

/// A page of the changes of lane 0, of which it checks that they lie behind `after` and in front of where it reaches.
pub(crate) async fn page_of_changes(
    stores: &Stores,
    after: Position,
    filter: &ChangeFilter,
    limit: PageLimit,
) -> ChangePage {
    let page = stores.states.read_changes(Lane::new(0), after, filter, limit).await;
    let page = page.expect("changes can be read");
    check(&page, after);
    page
}

/// All changes of a lane.
pub(crate) async fn changes_of(stores: &Stores, lane: Lane) -> Vec<ChangedState> {
    let (mut changes, mut after) = (Vec::new(), Position::ZERO);
    loop {
        let (all, limit) = (ChangeFilter::default(), PageLimit::default());
        let page = stores.states.read_changes(lane, after, &all, limit).await;
        let page = page.expect("changes can be read");
        check(&page, after);
        changes.extend(page.changes);
        if page.read_to == after {
            return changes;
        }
        after = page.read_to;
    }
}

/// The position of the last change of a lane.
pub(crate) async fn change_head(stores: &Stores, lane: Lane) -> Position {
    stores.states.change_heads().await.expect("the heads can be read").position(lane)
}

fn check(page: &ChangePage, after: Position) {
    let mut before = after;
    for change in &page.changes {
        assert!(change.position > before, "changes come in order, behind what was asked for");
        before = change.position;
    }
    assert!(page.read_to >= before, "a page reaches as far as its changes");
}
