use super::*;
use sesame_core::{
    context::Timestamp,
    internal::{
        crypto::{ed25519::SigningKey, x25519::PrivateKey},
        keys::device_list::sign,
    },
    secret::Secret,
};

fn entry(device: u32, keys: u8) -> Entry {
    Entry { device: DeviceId(device), fingerprint: Fingerprint([keys; 16]) }
}

/// Every list of at most three devices, each with one of two keys.
fn all_views() -> Vec<Vec<Entry>> {
    let mut views = vec![vec![]];
    for device in 1..=3 {
        let before = views.clone();
        for keys in [1, 2] {
            views.extend(before.iter().map(|view| [view.as_slice(), &[entry(device, keys)]].concat()));
        }
    }
    views
}

#[test]
fn a_refusal_has_a_difference_and_a_taken_batch_has_none() {
    let (mut taken, mut refused) = (0, 0);
    for view in all_views() {
        for spoken_for in all_views() {
            for targeted in [false, true] {
                let decision = decide_submit(&view, &spoken_for, targeted);
                assert_eq!(decision, explain_refusal(&view, &spoken_for, targeted).is_none());
                if decision { taken += 1 } else { refused += 1 }
            }
        }
    }
    // 27 views: 27 equal pairs; for a targeted batch each device is in neither, in the view only, or in both: 1 + 2 + 2 ways.
    assert_eq!((taken, refused), (27 + 125, 2 * 27 * 27 - 27 - 125));
}

#[test]
fn a_difference_tells_missing_gone_and_changed_apart() {
    let view = [entry(1, 1), entry(2, 1), entry(3, 1)];
    let spoken_for = [entry(2, 2), entry(3, 1), entry(4, 1)];
    let (missing, gone, changed) = (vec![DeviceId(1)], vec![DeviceId(4)], vec![DeviceId(2)]);
    let difference = Difference { missing, gone, changed };
    assert_eq!(explain_refusal(&view, &spoken_for, false), Some(difference.clone()));
    assert_eq!(explain_refusal(&view, &spoken_for, true), Some(Difference { missing: vec![], ..difference }));
}

#[test]
fn a_device_departs_when_its_id_or_its_keys_go() {
    let standing = |view| Standing {
        account_key: AccountKey([1; 32]),
        epoch: 1,
        hash: [0; 32],
        history: [0; 32],
        last_id: 4,
        view,
    };
    let before = standing(vec![entry(1, 1), entry(2, 1), entry(3, 1)]);
    let after = standing(vec![entry(1, 1), entry(3, 2), entry(4, 1)]);
    assert_eq!(departed(&before, &after), [DeviceId(2), DeviceId(3)]);
    assert!(departed(&before, &before).is_empty());
}

/// A user with one device, and what that device uploads.
struct Alice {
    account: SigningKey,
    listed: Listing,
}

impl Alice {
    fn new(seed: u8) -> Self {
        let key = |byte| SigningKey::from_seed(Secret::init_with(|seed| seed.fill(byte)));
        let identity = PrivateKey::from_secret(Secret::init_with(|bytes| bytes.fill(seed + 2)));
        let listed = Listing {
            id: DeviceId(1),
            signing_key: *key(seed + 1).verifying_key().as_bytes(),
            identity_key: *identity.public_key().as_bytes(),
            added_at_epoch: 1,
        };
        Self { account: key(seed), listed }
    }

    fn list(&self, before: Option<&VerifiedDeviceList>, at: u64) -> VerifiedDeviceList {
        let before = before.map(|list| &list.list);
        sign(&self.account, &user(), before, &[self.listed], Timestamp(at)).unwrap()
    }

    fn upload(&self) -> Publication {
        Publication {
            version: 1,
            user: b"alice".to_vec().into(),
            device: 1,
            device_list: vec![].into(),
            signing_key: self.listed.signing_key,
            identity_key: self.listed.identity_key,
            lasting: None,
            one_time: vec![].into(),
            kem_one_time: vec![].into(),
        }
    }
}

fn user() -> UserId {
    UserId::try_from("alice").unwrap()
}

#[test]
fn a_list_is_followed_by_its_descendants_alone() {
    let alice = Alice::new(1);
    let upload = alice.upload();
    let first = alice.list(None, 1);
    let second = alice.list(Some(&first), 2);
    let mut third = alice.list(Some(&second), 3);
    let bare = third.clone();
    third.branch = first.branch.clone();
    for list in [&second, &bare] {
        third.branch.join(&list.branch, 3);
    }
    let fork = alice.list(Some(&first), 4);
    let decide = |current: Option<&VerifiedDeviceList>, offered: &VerifiedDeviceList| {
        decide_publish(current.map(Standing::from).as_ref(), &upload, Some(offered))
    };
    for (current, offered) in [(None, &second), (Some(&first), &first), (Some(&first), &second), (Some(&first), &third)]
    {
        assert_eq!(decide(current, offered), Ok(Standing::from(offered)));
    }
    assert_eq!(decide(Some(&second), &bare), Ok(Standing::from(&bare)));
    for (current, offered) in [(&first, &bare), (&second, &first), (&second, &fork), (&third, &fork)] {
        assert_eq!(decide(Some(current), offered), Err(PublishError::NotASuccessor));
    }
    // A list that gives an id out again, or takes back that it was given.
    let again = Alice { account: Alice::new(1).account, ..Alice::new(9) }.list(Some(&first), 5);
    assert_eq!(decide(Some(&first), &again), Err(PublishError::NotASuccessor));
    let mut fewer = second.clone();
    fewer.list.last_id = 0;
    assert_eq!(decide(Some(&first), &fewer), Err(PublishError::NotASuccessor));
    assert_eq!(decide(Some(&Alice::new(9).list(None, 1)), &second), Err(PublishError::OtherAccount));
}

#[test]
fn an_upload_is_from_a_device_with_the_keys_on_the_list() {
    let alice = Alice::new(1);
    let list = alice.list(None, 1);
    let standing = Standing::from(&list);
    assert_eq!(decide_publish(Some(&standing), &alice.upload(), None), Ok(standing.clone()));
    assert_eq!(decide_publish(None, &alice.upload(), None), Err(PublishError::NotListed));
    for upload in [
        Publication { device: 2, ..alice.upload() },
        Publication { signing_key: Alice::new(9).listed.signing_key, ..alice.upload() },
        Publication { identity_key: Alice::new(9).listed.identity_key, ..alice.upload() },
        Publication { user: b"bob".to_vec().into(), ..alice.upload() },
    ] {
        assert_eq!(decide_publish(Some(&standing), &upload, None), Err(PublishError::NotListed));
        assert_eq!(decide_publish(None, &upload, Some(&list)), Err(PublishError::NotListed));
    }
}

#[test]
fn a_name_is_kept_for_the_key_that_deleted_it_and_from_the_key_that_was_reset() {
    let [one, other] = [1, 2].map(|byte| AccountKey([byte; 32]));
    let until = Timestamp(10);
    let deleted = Tombstone { account_key: one, end: End::Deleted { at: Timestamp(0) }, until };
    let reset = Tombstone { account_key: one, end: End::Reset, until };
    let at = |tombstones: &[Tombstone], now| [one, other].map(|key| decide_name(tombstones, &key, Timestamp(now)));
    assert_eq!(at(&[], 9), [true, true]);
    assert_eq!(at(&[deleted], 9), [true, false]);
    assert_eq!(at(&[reset], 9), [false, true]);
    assert_eq!(at(&[Tombstone { account_key: other, ..deleted }, reset], 9), [false, true]);
    assert_eq!(at(&[deleted, reset], 10), [true, true]);
}
