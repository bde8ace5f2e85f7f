use super::{
    Admittance, HandshakeError, Introduced, Introduction,
    introduction::HANDSHAKE_VERSION,
    messages::{MESSAGE_BYTES_MAX, write},
};
use crate::transport::security::ClusterSecret;
use actum_persistence::store::Incarnation;
use actum_proto::link::v1::{Greeting, GreetingAnswer, GreetingProof};
use proptest::prelude::{any, prop};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

fn node(nr: u64, secret: &str) -> Introduction {
    Introduction {
        incarnation: Incarnation::new(nr),
        name: format!("node-{nr}"),
        gateway: 10 * nr,
        secret: Some(ClusterSecret::new(secret)),
    }
}

const SECRET: &str = "0123456789abcdef";

type Result = std::result::Result<Introduced, HandshakeError>;

/// Lets `dialler` dial 2, where `acceptor` is, over streams bound to these.
async fn introduce(
    dialler: Introduction,
    acceptor: Introduction,
    bindings: [&str; 2],
    admittance: Admittance,
) -> (Result, Result) {
    let (mut one, mut other) = duplex(10_000);
    let dialled = async {
        let result =
            dialler.dialled(&mut one, Incarnation::new(2), bindings[0].as_bytes(), |_| true).await;
        drop(one);
        result
    };
    let accepted = async {
        let admit = |peer| {
            assert_eq!(peer, dialler.incarnation);
            admittance
        };
        acceptor.accepted(&mut other, bindings[1].as_bytes(), admit).await
    };
    tokio::join!(dialled, accepted)
}

async fn introduced_with(bindings: [&str; 2], admittance: Admittance) -> (Result, Result) {
    introduce(node(1, SECRET), node(2, SECRET), bindings, admittance).await
}

#[tokio::test]
async fn nodes_that_know_the_secret_are_introduced_and_share_a_key_that_no_other_connection_has() {
    let (dialled, accepted) = introduced_with(["tls", "tls"], Admittance::Admitted).await;
    let (acceptor, dialler) = (dialled.unwrap(), accepted.unwrap());
    assert_eq!((acceptor.incarnation.get(), &*acceptor.name, acceptor.gateway), (2, "node-2", 20));
    assert_eq!((dialler.incarnation.get(), &*dialler.name, dialler.gateway), (1, "node-1", 10));
    assert_eq!((&acceptor.key, &acceptor.cookie), (&dialler.key, &dialler.cookie));
    assert_ne!(acceptor.key, acceptor.cookie);
    let (again, _) = introduced_with(["tls", "tls"], Admittance::Admitted).await;
    assert_ne!(again.unwrap().key, acceptor.key);
}

#[tokio::test]
async fn nodes_with_different_secrets_refuse_each_other() {
    let (dialled, accepted) =
        introduce(node(1, "another secret!!"), node(2, SECRET), ["", ""], Admittance::Admitted)
            .await;
    assert!(matches!(dialled, Err(HandshakeError::WrongSecret)), "{dialled:?}");
    assert!(matches!(accepted, Err(HandshakeError::Left)), "{accepted:?}");
    let without = Introduction { secret: None, ..node(1, SECRET) };
    let (dialled, _) = introduce(without, node(2, SECRET), ["", ""], Admittance::Admitted).await;
    assert!(matches!(dialled, Err(HandshakeError::WrongSecret)), "{dialled:?}");
}

#[tokio::test]
async fn who_passes_a_handshake_on_between_two_encrypted_connections_is_refused() {
    let (dialled, accepted) = introduced_with(["one", "other"], Admittance::Admitted).await;
    assert!(matches!(dialled, Err(HandshakeError::WrongSecret)), "{dialled:?}");
    assert!(accepted.is_err());
}

#[tokio::test]
async fn both_sides_learn_why_a_connection_is_not_taken() {
    let (dialled, accepted) = introduced_with(["", ""], Admittance::Busy).await;
    assert!(matches!(dialled, Err(HandshakeError::Busy)), "{dialled:?}");
    assert!(matches!(accepted, Err(HandshakeError::Busy)), "{accepted:?}");
    let (dialled, accepted) = introduced_with(["", ""], Admittance::UnknownMember).await;
    assert!(matches!(dialled, Err(HandshakeError::UnknownMember)), "{dialled:?}");
    assert!(matches!(accepted, Err(HandshakeError::UnknownMember)), "{accepted:?}");
    let (dialled, accepted) =
        introduce(node(1, SECRET), node(3, SECRET), ["", ""], Admittance::Admitted).await;
    assert!(matches!(dialled, Err(HandshakeError::AnotherLife)), "{dialled:?}");
    assert!(matches!(accepted, Err(HandshakeError::AnotherLife)), "{accepted:?}");
}

#[tokio::test]
async fn a_connection_is_taken_only_when_its_dialler_confirms_it() {
    let (mut one, mut other) = duplex(10_000);
    let dialled = async {
        let result = node(1, SECRET).dialled(&mut one, Incarnation::new(2), b"", |_| false).await;
        drop(one);
        result
    };
    let acceptor = node(2, SECRET);
    let accepted = acceptor.accepted(&mut other, b"", |_| Admittance::Admitted);
    let (dialled, accepted) = tokio::join!(dialled, accepted);
    assert!(matches!(dialled, Err(HandshakeError::Busy)), "{dialled:?}");
    assert!(matches!(accepted, Err(HandshakeError::Busy)), "{accepted:?}");
}

/// What an acceptor makes of these bytes, behind which the stream ends.
async fn accept(bytes: &[u8]) -> HandshakeError {
    let (mut one, mut other) = duplex(100_000);
    one.write_all(bytes).await.unwrap();
    one.shutdown().await.unwrap();
    let admit = |_| panic!("nothing was proved");
    node(2, SECRET).accepted(&mut other, b"", admit).await.unwrap_err()
}

fn framed(message: &impl Message) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    [(bytes.len() as u32).to_be_bytes().as_slice(), &bytes].concat()
}

fn greeting() -> Greeting {
    Greeting {
        protocol_version: HANDSHAKE_VERSION,
        incarnation: 1,
        node: "node-1".to_owned(),
        nonce: vec![7; 32].into(),
        wanted_incarnation: 2,
        gateway: 10,
    }
}

#[tokio::test]
async fn what_is_no_greeting_is_refused() {
    assert!(matches!(accept(b"").await, HandshakeError::Nothing));
    assert!(matches!(accept(b"GET / HTTP/1.1\r\n\r\n").await, HandshakeError::Unreadable));
    let too_long = (MESSAGE_BYTES_MAX as u32 + 1).to_be_bytes();
    assert!(matches!(accept(&too_long).await, HandshakeError::Unreadable));
    let version = Greeting { protocol_version: 9, ..greeting() };
    assert!(matches!(
        accept(&framed(&version)).await,
        HandshakeError::AnotherVersion { ours: 1, theirs: 9 }
    ));
    let (nonce, nameless, long) = (
        Greeting { nonce: vec![7; 31].into(), ..greeting() },
        Greeting { node: String::new(), ..greeting() },
        Greeting { node: "n".repeat(65), ..greeting() },
    );
    for greeting in [nonce, nameless, long] {
        assert!(matches!(accept(&framed(&greeting)).await, HandshakeError::Unreadable));
    }
    assert!(matches!(accept(&framed(&greeting())).await, HandshakeError::Left));
    for proof in [vec![], vec![0; 32], vec![0; 33]] {
        let proof = GreetingProof { proof: proof.into() };
        let bytes = [framed(&greeting()), framed(&proof)].concat();
        assert!(matches!(accept(&bytes).await, HandshakeError::WrongSecret));
    }
}

async fn read_message(stream: &mut DuplexStream) -> Vec<u8> {
    let length = stream.read_u32().await.unwrap();
    let mut bytes = vec![0; length as usize];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test]
async fn the_acceptors_own_proof_is_none_of_the_dialler() {
    let (mut one, mut other) = duplex(10_000);
    let reflect = async {
        write(&mut one, &[&greeting().encode_to_vec()]).await.unwrap();
        read_message(&mut one).await;
        let proof = read_message(&mut one).await;
        write(&mut one, &[&proof]).await.unwrap();
    };
    let node = node(2, SECRET);
    let accepted = node.accepted(&mut other, b"", |_| panic!("nothing was proved"));
    let ((), accepted) = tokio::join!(reflect, accepted);
    assert!(matches!(accepted, Err(HandshakeError::WrongSecret)), "{accepted:?}");
}

#[tokio::test]
async fn a_handshake_that_was_recorded_is_of_no_use() {
    // a dialler's words, as someone has recorded them on the way
    let (mut dialler_end, mut middle_one) = duplex(10_000);
    let (mut middle_two, mut acceptor_end) = duplex(10_000);
    let (dialler, acceptor) = (node(1, SECRET), node(2, SECRET));
    let pass_on = async {
        let greeting = read_message(&mut middle_one).await;
        write(&mut middle_two, &[&greeting]).await.unwrap();
        let (answer, answers_proof) =
            (read_message(&mut middle_two).await, read_message(&mut middle_two).await);
        write(&mut middle_one, &[&answer, &answers_proof]).await.unwrap();
        let proof = read_message(&mut middle_one).await;
        write(&mut middle_two, &[&proof]).await.unwrap();
        let admission = read_message(&mut middle_two).await;
        write(&mut middle_one, &[&admission]).await.unwrap();
        let confirmation = read_message(&mut middle_one).await;
        write(&mut middle_two, &[&confirmation]).await.unwrap();
        (greeting, proof)
    };
    let dialled = dialler.dialled(&mut dialler_end, Incarnation::new(2), b"", |_| true);
    let accepted = acceptor.accepted(&mut acceptor_end, b"", |_| Admittance::Admitted);
    let ((greeting, proof), dialled, accepted) = tokio::join!(pass_on, dialled, accepted);
    assert!(dialled.is_ok() && accepted.is_ok(), "it is let through while it is new");

    let (mut one, mut other) = duplex(10_000);
    write(&mut one, &[&greeting, &proof]).await.unwrap();
    let accepted = acceptor.accepted(&mut other, b"", |_| panic!("it is old")).await;
    assert!(matches!(accepted, Err(HandshakeError::WrongSecret)), "{accepted:?}");
}

#[tokio::test]
async fn a_dialler_never_proves_anything_to_who_does_not_know_the_secret() {
    let (mut one, mut other) = duplex(10_000);
    let impostor = async {
        read_message(&mut other).await;
        let answer = GreetingAnswer {
            protocol_version: HANDSHAKE_VERSION,
            incarnation: 2,
            node: "node-2".to_owned(),
            nonce: vec![1; 32].into(),
            gateway: 1,
        };
        let proof = GreetingProof { proof: vec![0; 32].into() };
        write(&mut other, &[&answer.encode_to_vec(), &proof.encode_to_vec()]).await.unwrap();
        let mut rest = Vec::new();
        other.read_to_end(&mut rest).await.unwrap();
        rest
    };
    let dialled = async {
        let result = node(1, SECRET).dialled(&mut one, Incarnation::new(2), b"", |_| true).await;
        drop(one);
        result
    };
    let (rest, dialled) = tokio::join!(impostor, dialled);
    assert!(matches!(dialled, Err(HandshakeError::WrongSecret)), "{dialled:?}");
    assert_eq!(rest, [0u8; 0]);
}

proptest::proptest! {
    #[test]
    fn no_foreign_bytes_make_a_handshake_panic_or_succeed(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let proof = GreetingProof { proof: vec![0; 32].into() };
        let mut nearly = [framed(&greeting()), framed(&proof)].concat();
        for (place, byte) in flips {
            let place = place.index(nearly.len());
            nearly[place] = byte;
        }
        for bytes in [bytes, nearly] {
            runtime.block_on(accept(&bytes));
            let (mut one, mut other) = duplex(100_000);
            runtime.block_on(async {
                other.write_all(&bytes).await.unwrap();
                other.shutdown().await.unwrap();
                node(1, SECRET).dialled(&mut one, Incarnation::new(2), b"", |_| true).await.unwrap_err()
            });
        }
    }
}
