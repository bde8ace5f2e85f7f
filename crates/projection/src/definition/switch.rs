/// When a new version of a projection takes over from the active one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Switch {
    /// As soon as it has come as far as the active one.
    #[default]
    WhenCaughtUp,
    /// When it is [asked to](crate::ProjectionRef::activate). Until then it follows the active one.
    WhenAsked,
}
