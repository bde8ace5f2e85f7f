use thiserror::Error;

/// What a peer has sent that it must not: its connection is ended.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum LinkViolation {
    #[error("a frame cannot be decoded: {0}")]
    Unreadable(String),
    #[error("it is of the cluster `{theirs}`, and this one is `{ours}`")]
    AnotherCluster { ours: String, theirs: String },
    #[error("it speaks version {theirs} of the protocol of links, and this one {ours}")]
    AnotherVersion { ours: u32, theirs: u32 },
    #[error("it says that it is `{said}`, and this is the link of `{expected}`")]
    AnotherNode { expected: String, said: String },
    #[error("it greets a second time")]
    SecondHello,
    #[error("it sends messages before it greets")]
    NoHello,
    #[error("batch {got} arrives where {expected} is next")]
    OutOfOrder { expected: u64, got: u64 },
    #[error("it says that batch {got} was taken, and {sent} is the last that was sent")]
    NeverSent { sent: u64, got: u64 },
    #[error("it sends messages behind its goodbye")]
    AfterGoodbye,
    #[error(
        "a piece at {offset} of a message of {total_bytes} bytes does not go on where the last one ended"
    )]
    MisplacedChunk { offset: u64, total_bytes: u64 },
    #[error("a message of {bytes} bytes is longer than {bytes_max}")]
    TooLong { bytes: u64, bytes_max: usize },
}
