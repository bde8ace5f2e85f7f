use crate::{
    account::Account,
    rig::{Rig, account, deposited},
};
use actum_projection::{Message, Waves};
use std::{num::NonZeroUsize, sync::Arc};

/// Messages of accounts, one for each letter.
async fn messages(of: &str) -> Vec<Message> {
    let rig = Rig::new(1).await;
    for (at, id) in of.chars().enumerate() {
        let nr = of.chars().take(at).filter(|one| *one == id).count();
        rig.append(&account(&id.to_string()), nr as u64, vec![deposited(1)]).await;
    }
    let (mut events, source) = (rig.journal().events_of::<Account>(), Arc::from("/test"));
    let mut messages = Vec::new();
    while let Some(event) = events.next().await.unwrap() {
        messages.push(Message::of(&source, &event).unwrap());
    }
    messages
}

fn at_once(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

#[tokio::test]
async fn no_two_messages_of_one_entity_are_under_way_together() {
    let messages = messages("aabaccb").await;
    let mut waves = Waves::new(&messages, NonZeroUsize::MAX);
    assert_eq!(waves.next_wave(), Some(vec![0, 2, 4]));
    assert_eq!(waves.next_wave(), Some(vec![1, 5, 6]));
    assert_eq!(waves.next_wave(), Some(vec![3]));
    assert_eq!(waves.next_wave(), None);
    waves.finish().unwrap();
}

#[tokio::test]
async fn a_wave_is_bounded() {
    let messages = messages("abcabc").await;
    let mut waves = Waves::new(&messages, at_once(2));
    let mut sent = Vec::new();
    while let Some(wave) = waves.next_wave() {
        assert!(wave.len() <= 2);
        sent.extend(wave);
    }
    assert_eq!(sent.len(), 6);
}

#[tokio::test]
async fn behind_a_rejected_message_nothing_is_sent_and_in_front_of_it_everything() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..300 {
        let text: String = (0..12).map(|_| random.char('a'..='d')).collect();
        let messages = messages(&text).await;
        let rejected = [random.usize(..12), random.usize(..12)];
        let mut waves = Waves::new(&messages, at_once(random.usize(1..6)));
        let (mut sent, mut first) = (Vec::new(), None);
        while let Some(wave) = waves.next_wave() {
            for at in wave {
                if rejected.contains(&at) {
                    waves.rejected(at, "no");
                    first = Some(first.map_or(at, |first: usize| first.min(at)));
                } else {
                    let earlier = |other: &usize| {
                        *other < at && messages[*other].entity() == messages[at].entity()
                    };
                    let passed = (0..12).filter(earlier).find(|other| !sent.contains(other));
                    assert_eq!(passed, None, "{at} of {text} has passed another");
                    sent.push(at);
                }
            }
        }
        let first = first.unwrap();
        assert_eq!(waves.finish().unwrap_err().rejected_at(), Some(first));
        assert_eq!(first, rejected[0].min(rejected[1]));
        assert!((0..first).all(|at| sent.contains(&at)), "{text} {rejected:?} {sent:?}");
    }
}
