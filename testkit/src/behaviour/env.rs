use actum_model::Entity;

/// The environment of an entity whose [`Entity::Env`] has a default, such as `()`.
#[derive(Clone, Copy, Debug)]
pub struct DefaultEnv;

/// An environment that the test gave.
#[derive(Clone, Debug)]
pub struct GivenEnv<T>(pub(super) T);

/// Where the environment of an entity comes from; see [`Given::env`](super::Given::env).
#[diagnostic::on_unimplemented(
    message = "the environment of `{E}` must be given: it has no `Default`",
    label = "needs an environment",
    note = "add `.env(..)` before `.when(..)`"
)]
pub trait EnvOf<E: Entity> {
    /// Gives the environment away.
    fn into_env(self) -> E::Env;
}

#[diagnostic::do_not_recommend]
impl<E: Entity<Env: Default>> EnvOf<E> for DefaultEnv {
    fn into_env(self) -> E::Env {
        E::Env::default()
    }
}

#[diagnostic::do_not_recommend]
impl<E: Entity> EnvOf<E> for GivenEnv<E::Env> {
    fn into_env(self) -> E::Env {
        self.0
    }
}
