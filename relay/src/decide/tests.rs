use super::*;

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
    let standing = |view| Standing { account_key: AccountKey([1; 32]), epoch: 1, hash: [0; 32], view };
    let before = standing(vec![entry(1, 1), entry(2, 1), entry(3, 1)]);
    let after = standing(vec![entry(1, 1), entry(3, 2), entry(4, 1)]);
    assert_eq!(departed(&before, &after), [DeviceId(2), DeviceId(3)]);
    assert!(departed(&before, &before).is_empty());
}
