use crate::phone::{DAY, MINUTE, SERVER, World, problem, skip, stock, submission, user};
use sesame_core::{
    error::Code,
    event::Batch,
    ids::{DeviceId, Fingerprint},
    internal::wire::{
        answer::{Submit, SubmitResult},
        auth::Signed,
        request::{self, Path},
    },
};
use sesame_relay::Refusal;

/// The ids that a stale result names: missing, gone and changed.
fn stale(result: &SubmitResult) -> [Vec<u32>; 3] {
    let SubmitResult::Stale { missing, gone, changed, .. } = result else { panic!("{result:?}") };
    [missing, gone, changed].map(|devices| devices.as_slice().iter().map(|device| device.0).collect())
}

#[test]
fn a_batch_for_exactly_the_listed_devices_reaches_each_mailbox() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 3));
    let mut batch = world.batch(&alice.phones[0], &bob.phones[..2]);
    batch.skips.push(skip(&bob.phones[2]));
    let result = world.submit(&alice.phones[0], &batch);
    let SubmitResult::Taken { list, .. } = result else { panic!("{result:?}") };
    assert_eq!(list, bob.lists[0].list.hash);
    for (phone, outgoing) in bob.phones.iter().zip(&batch.envelopes) {
        assert_eq!(world.mailbox(phone), std::slice::from_ref(&outgoing.envelope));
    }
    assert!(world.mailbox(&bob.phones[2]).is_empty());
}

#[test]
fn a_stale_batch_reaches_nobody_and_shows_the_list() {
    let mut world = World::new();
    let (alice, mut bob) = (world.registered("alice", 1), world.registered("bob", 2));
    let phone = &alice.phones[0];
    let one = world.batch(phone, &bob.phones[..1]);
    assert_eq!(stale(&world.submit(phone, &one)), [vec![2], vec![], vec![]]);
    let both = world.batch(phone, &bob.phones);
    let kept = vec![bob.phones[1].clone()];
    world.follow(&mut bob, kept);
    let result = world.submit(phone, &both);
    assert_eq!(stale(&result), [vec![], vec![1], vec![]]);
    let SubmitResult::Stale { list, .. } = result else { panic!() };
    assert_eq!(list.as_slice(), bob.lists[1].shown(16).unwrap());
    assert!(world.mailbox(&bob.phones[0]).is_empty());
}

/// T1: a batch that was made for the keys of an earlier device with the same id never reaches the later one.
#[test]
fn n_t01_the_same_id_with_other_keys_is_stale() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 2));
    let phone = alice.phones[0].clone();
    // Somebody showed Alice another device under that id.
    let imagined = world.phone(&bob, 2);
    let replaced = bob.phones[1].clone();
    let before = world.batch(&phone, &[bob.phones[0].clone(), imagined]);
    assert_eq!(stale(&world.submit(&phone, &before)), [vec![], vec![], vec![2]]);
    let targeted = Batch { targeted: true, envelopes: before.envelopes[1..].to_vec(), ..before.clone() };
    assert_eq!(stale(&world.submit(&phone, &targeted)), [vec![], vec![], vec![2]]);
    let mut skipped = before.clone();
    skipped.envelopes.pop();
    skipped.skips.push(sesame_core::event::Skipped { fingerprint: before.envelopes[1].fingerprint, ..skip(&replaced) });
    assert_eq!(stale(&world.submit(&phone, &skipped)), [vec![], vec![], vec![2]]);
    assert!(world.mailbox(&replaced).is_empty());
    let now = world.batch(&phone, &bob.phones);
    assert!(matches!(world.submit(&phone, &now), SubmitResult::Taken { .. }));
}

#[test]
fn n_t01_an_account_that_was_registered_anew_has_other_fingerprints() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 1));
    let batch = world.batch(&alice.phones[0], &bob.phones);
    // The same device keys under another account key are another device.
    let other = world.registered("bobby", 1);
    let mut keys = bob.phones[0].keys.party.clone();
    keys.account_key = other.key.verifying_key();
    assert_ne!(keys.fingerprint(), bob.phones[0].keys.party.fingerprint());
    let mut forged = batch.clone();
    forged.envelopes[0].fingerprint = keys.fingerprint();
    assert_eq!(stale(&world.submit(&alice.phones[0], &forged)), [vec![], vec![], vec![1]]);
}

#[test]
fn the_call_without_bytes_compares_keys_as_well() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 1));
    let mut batch = world.batch(&alice.phones[0], &bob.phones);
    let caller = (&alice.user, DeviceId(1));
    assert_eq!(world.relay.submit(caller, &batch), Ok(()));
    batch.envelopes[0].fingerprint = Fingerprint([0; 16]);
    let Err(Refusal::Stale { missing, gone, .. }) = world.relay.submit(caller, &batch) else { panic!() };
    assert_eq!((missing, gone), (vec![DeviceId(1)], vec![DeviceId(1)]));
}

#[test]
fn a_batch_for_the_own_user_leaves_out_the_sender() {
    let mut world = World::new();
    let alice = world.registered("alice", 3);
    let batch = world.batch(&alice.phones[0], &alice.phones[1..]);
    assert!(matches!(world.submit(&alice.phones[0], &batch), SubmitResult::Taken { .. }));
    let all = world.batch(&alice.phones[0], &alice.phones);
    assert_eq!(world.submit(&alice.phones[0], &all), SubmitResult::Malformed);
}

#[test]
fn a_targeted_batch_needs_only_the_devices_that_it_names() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 3));
    let batch = Batch { targeted: true, ..world.batch(&alice.phones[0], &bob.phones[1..2]) };
    assert!(matches!(world.submit(&alice.phones[0], &batch), SubmitResult::Taken { .. }));
    assert_eq!(world.mailbox(&bob.phones[1]).len(), 1);
}

#[test]
fn each_batch_of_a_submission_has_its_own_result() {
    let mut world = World::new();
    let (alice, bob, jen) = (world.registered("alice", 1), world.registered("bob", 1), world.registered("jen", 2));
    let phone = alice.phones[0].clone();
    let nobody = world.account("nobody");
    let nobody = world.phone(&nobody, 1);
    let mut addressed_wrong = world.batch(&phone, &bob.phones);
    addressed_wrong.envelopes[0].envelope = world.envelope(&bob.phones[0], &bob.phones[0]);
    let mut garbage = world.batch(&phone, &bob.phones);
    garbage.envelopes[0].envelope = vec![1; 40];
    let batches = [
        world.batch(&phone, &bob.phones),
        world.batch(&phone, &jen.phones[..1]),
        world.batch(&phone, &[nobody]),
        addressed_wrong,
        garbage,
        world.batch(&phone, &jen.phones),
    ];
    let forms: Vec<_> = batches.iter().cloned().map(request::Batch::from).collect();
    let body = request::Submit { batches: forms.into() }.encode().unwrap();
    let response = world.ask(&phone, Path::Submit, &body);
    let results = Submit::decode(&response.body).unwrap().results.into_vec();
    assert!(matches!(results[0], SubmitResult::Taken { .. }));
    assert_eq!(stale(&results[1]), [vec![2], vec![], vec![]]);
    assert_eq!(results[2], SubmitResult::NoSuchUser);
    assert_eq!(results[3..5], [SubmitResult::Malformed, SubmitResult::Malformed]);
    assert!(matches!(results[5], SubmitResult::Taken { .. }));
    assert_eq!(world.mailbox(&jen.phones[0]).len(), 1);
}

#[test]
fn a_repeated_batch_is_taken_before_whatever_the_list_is_now() {
    let mut world = World::new();
    let (alice, mut bob) = (world.registered("alice", 1), world.registered("bob", 2));
    let phone = alice.phones[0].clone();
    let batch = world.batch(&phone, &bob.phones);
    let SubmitResult::Taken { id, list } = world.submit(&phone, &batch) else { panic!() };
    assert_eq!(world.submit(&phone, &batch), SubmitResult::TakenBefore { id, list });
    let kept = vec![bob.phones[0].clone()];
    world.follow(&mut bob, kept);
    world.pass(7 * DAY - 1);
    assert_eq!(world.submit(&phone, &batch), SubmitResult::TakenBefore { id, list });
    assert_eq!(world.mailbox(&bob.phones[0]).len(), 1, "nothing was put a second time");
    // A week later nobody remembers it, and it is judged as any other.
    world.pass(1);
    assert_eq!(stale(&world.submit(&phone, &batch)), [vec![], vec![2], vec![]]);
}

#[test]
fn a_receipt_is_for_one_sender_and_for_what_was_taken() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 2), world.registered("bob", 2));
    // A refused batch leaves no receipt.
    let one = world.batch(&alice.phones[0], &bob.phones[..1]);
    for _ in 0..2 {
        assert_eq!(stale(&world.submit(&alice.phones[0], &one)), [vec![2], vec![], vec![]]);
    }
    // Another device cannot ask whether the first one's batch was taken.
    let batch = world.batch(&alice.phones[0], &bob.phones);
    assert!(matches!(world.submit(&alice.phones[0], &batch), SubmitResult::Taken { .. }));
    assert_eq!(world.submit(&alice.phones[1], &batch), SubmitResult::Malformed);
}

#[test]
fn a_submission_in_the_background_may_be_an_hour_old_and_a_replay_puts_nothing() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 1));
    let phone = &alice.phones[0];
    let batch = world.batch(phone, &bob.phones);
    let body = submission(&batch);
    let signed = Signed { audience: SERVER, path: Path::Submit, body: &body };
    let header = world.header(phone, &signed, world.now.0);
    world.pass(60 * MINUTE);
    for _ in 0..3 {
        assert_eq!(world.perform(Path::Submit, Some(&header), &body).status, 200);
    }
    assert_eq!(world.mailbox(&bob.phones[0]).len(), 1);
    world.pass(1);
    assert_eq!(problem(&world.perform(Path::Submit, Some(&header), &body), 401).time, world.now.0);
}

#[test]
fn a_full_mailbox_refuses_the_batch_and_the_sender_may_skip_it() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 2));
    let phone = alice.phones[0].clone();
    world.relay.set_mailbox_limit(1);
    let first = Batch { targeted: true, ..world.batch(&phone, &bob.phones[1..]) };
    assert!(matches!(world.submit(&phone, &first), SubmitResult::Taken { .. }));
    let mut batch = world.batch(&phone, &bob.phones);
    assert_eq!(world.submit(&phone, &batch), SubmitResult::Full { devices: vec![DeviceId(2)].into() });
    assert!(world.mailbox(&bob.phones[0]).is_empty());
    batch.envelopes.pop();
    batch.skips.push(skip(&bob.phones[1]));
    assert!(matches!(world.submit(&phone, &batch), SubmitResult::Taken { .. }));
}

#[test]
fn a_request_that_is_too_large_or_malformed_says_so() {
    let mut world = World::new();
    let alice = world.registered("alice", 1);
    let large = vec![0; sesame_core::limits::MAX_EXCHANGE + 1];
    assert_eq!(problem(&world.ask(&alice.phones[0], Path::Submit, &large), 413).code, Code::TooLarge.number());
    assert_eq!(problem(&world.ask(&alice.phones[0], Path::Submit, b""), 400).code, Code::Truncated.number());
    let unknown = sesame_relay::Request { path: "/v1/other", auth: None, body: b"" };
    assert_eq!(world.relay.perform(world.now, &unknown).status, 400);
    stock(&world.upload(&alice.phones[0], crate::phone::Upload::default()));
    assert!(world.relay.device_list(&user("alice")).is_some());
}
