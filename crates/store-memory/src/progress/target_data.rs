use super::{kept::KeptProjections, row_table::RowTable};

/// What all handles of a target share.
#[derive(Default)]
pub(crate) struct TargetData {
    pub(super) projections: KeptProjections,
    pub(super) rows: RowTable,
}
