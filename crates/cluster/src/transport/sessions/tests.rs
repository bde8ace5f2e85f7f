use super::{
    frame_room::{FRAMES_READ_MAX, FrameRoom},
    metered_read::{CONTROL_BYTES_MAX, CONTROL_FRAMES_MAX, MeteredRead, SESSION_FRAME_BYTES_MAX},
};
use proptest::prelude::{any, prop};
use std::{io::Cursor, io::ErrorKind, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    time::timeout,
};

/// A frame of ractor_cluster with this content.
fn frame(content: &[u8]) -> Vec<u8> {
    [(content.len() as u64).to_be_bytes().as_slice(), content].concat()
}

/// One for the gateway.
fn for_the_gateway() -> Vec<u8> {
    frame(&[0x12, 1, 2, 3])
}

/// One of the session itself.
fn control() -> Vec<u8> {
    frame(&[0x1a, 1])
}

#[tokio::test(start_paused = true)]
async fn no_more_is_read_than_is_handled_and_a_bound_beyond() {
    let (mut peer, socket) = duplex(100_000);
    let room = Arc::new(FrameRoom::default());
    let mut read = MeteredRead::new(socket, room.clone());
    for _ in 0..2 * FRAMES_READ_MAX {
        peer.write_all(&for_the_gateway()).await.unwrap();
    }
    let one = &mut [0; 12];
    for _ in 0..FRAMES_READ_MAX {
        read.read_exact(one).await.unwrap();
    }
    let more = timeout(Duration::from_secs(60), read.read_exact(one)).await;
    assert!(more.is_err(), "it waits for the gateway");
    let waiting = tokio::spawn(async move {
        for _ in 0..3 {
            read.read_exact(&mut [0; 12]).await.unwrap();
        }
        timeout(Duration::from_secs(60), read.read_exact(&mut [0; 12])).await.is_err()
    });
    for _ in 0..3 {
        tokio::task::yield_now().await;
        drop(room.handling());
    }
    assert!(waiting.await.unwrap(), "as many as were handled");
}

async fn read_to_end(bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
    let mut read = MeteredRead::new(Cursor::new(bytes), Arc::default());
    let mut all = Vec::new();
    read.read_to_end(&mut all).await.map(|_| all)
}

#[tokio::test]
async fn a_frame_that_is_too_long_ends_the_connection() {
    for (length, is_taken) in
        [(SESSION_FRAME_BYTES_MAX, true), (SESSION_FRAME_BYTES_MAX + 1, false), (u64::MAX, false)]
    {
        let result = read_to_end(length.to_be_bytes().to_vec()).await;
        assert_eq!(result.is_ok(), is_taken, "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_too_much_that_is_not_for_the_gateway_is_ended() {
    let many = |count| control().repeat(count as usize);
    assert!(read_to_end(many(CONTROL_FRAMES_MAX)).await.is_ok());
    let error = read_to_end(many(CONTROL_FRAMES_MAX + 1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let large = frame(&vec![0x1a; 200_000]);
    let count = CONTROL_BYTES_MAX as usize / 200_000;
    assert!(read_to_end(large.repeat(count)).await.is_ok());
    assert!(read_to_end(large.repeat(count + 1)).await.is_err());

    // over a longer time it is not too much
    let (mut peer, socket) = duplex(1_000_000);
    let mut read = MeteredRead::new(socket, Arc::default());
    for _ in 0..3 {
        peer.write_all(&many(CONTROL_FRAMES_MAX)).await.unwrap();
        let mut all = vec![0; many(CONTROL_FRAMES_MAX).len()];
        read.read_exact(&mut all).await.unwrap();
        tokio::time::advance(Duration::from_secs(10)).await;
    }
}

proptest::proptest! {
    #[test]
    fn what_is_read_is_what_was_sent(
        contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30), 0..20),
        cut in 0usize..10,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut sent: Vec<u8> = contents.iter().flat_map(|content| frame(content)).collect();
        sent.truncate(sent.len().saturating_sub(cut));
        runtime.block_on(async {
            assert_eq!(read_to_end(sent.clone()).await.unwrap(), sent);
            let mut read = MeteredRead::new(Cursor::new(sent.clone()), Arc::default());
            for byte in sent {
                assert_eq!(read.read_u8().await.unwrap(), byte);
            }
        });
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _ = runtime.block_on(read_to_end(bytes));
    }
}
