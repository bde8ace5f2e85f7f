//! NATS, with JetStream.

mod nats_program;
mod nats_server;
mod settings;

pub use nats_program::NatsProgram;
pub use nats_server::NatsServer;
pub use settings::NatsServerSettings;
