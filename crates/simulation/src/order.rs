use super::Plan;
use actum_host::Moment;
use actum_model::CommandId;

/// A command as a client sends it.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// Which sending this is: no two have the same number, and every change carries it.
    pub(crate) nr: u32,
    /// To which entity.
    pub(crate) entity: u32,
    /// The number in its command id.
    pub(crate) id: Option<u32>,
    /// Which type of command it is.
    pub(crate) command: &'static str,
    pub(crate) plan: Plan,
    pub(crate) deadline: Moment,
    pub(crate) expected_revision: Option<u64>,
}

/// The command id of this number.
pub(crate) fn command_id(id: u32) -> CommandId {
    CommandId::new(format!("id-{id}")).expect("the text is short and not empty")
}
