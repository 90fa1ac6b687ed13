use super::{super::codec::tests::assert_exact, *};

fn user(name: &str) -> UserId {
    UserId::try_from(name).unwrap()
}

fn named(device: u32, content: Content) -> Named {
    Named { device: DeviceId(device), fingerprint: Fingerprint([7; 16]), content }
}

fn batch() -> Batch {
    let named = vec![named(1, Content::Envelope(vec![8; 5].into())), named(4, Content::Skip { reason: 305 })];
    Batch { user: user("bob"), targeted: 0, named: named.into() }
}

#[test]
fn each_path_has_its_own_text() {
    for path in Path::ALL {
        assert_eq!(Path::from_text(path.text()), Some(path));
    }
    for other in ["", "/v1", "/v1/", "/v1/submit/", "/v1/submit?", "/V1/submit", "/v2/submit"] {
        assert_eq!(Path::from_text(other), None, "{other}");
    }
}

#[test]
fn a_publication_stands_beside_its_token() {
    let form = Publish { token: vec![1; 3].into(), publication: vec![2; 4].into() };
    let bytes = assert_exact(&form, Publish::encode, Publish::decode);
    assert_eq!(bytes, [0, 3, 1, 1, 1, 0, 0, 0, 4, 2, 2, 2, 2]);
    let long = Publish { token: vec![1; MAX_TOKEN + 1].into(), publication: vec![].into() };
    assert_eq!(long.encode(), Err(Code::TooLarge));
    assert_eq!(Publish::decode(&codec::encode(&long).unwrap()).err(), Some(Code::TooLarge));
}

#[test]
fn one_to_a_hundred_lists_are_asked_for() {
    let form = |count: usize| Lists { users: vec![Asked { user: user("a"), from: 0 }; count].into() };
    assert_exact(&form(1), Lists::encode, Lists::decode);
    assert_exact(&form(100), Lists::encode, Lists::decode);
    assert_eq!(form(0).encode(), Err(Code::NonCanonical));
    assert_eq!(form(101).encode(), Err(Code::TooLarge));
    assert_eq!(Lists::decode(&[0, 0]).err(), Some(Code::NonCanonical));
    let hundred_and_one = [&1010_u16.to_be_bytes()[..], &b"\x01a\0\0\0\0\0\0\0\0".repeat(101)].concat();
    assert_eq!(Lists::decode(&hundred_and_one).err(), Some(Code::NonCanonical));
}

#[test]
fn one_to_64_bundles_are_asked_for() {
    let form = |count: usize| {
        let wanted = Wanted { user: user("ab"), device: DeviceId(258) };
        Bundles { devices: vec![wanted; count].into() }
    };
    let bytes = assert_exact(&form(1), Bundles::encode, Bundles::decode);
    assert_eq!(bytes, b"\x00\x07\x02ab\x00\x00\x01\x02");
    assert_exact(&form(64), Bundles::encode, Bundles::decode);
    assert_eq!(form(0).encode(), Err(Code::NonCanonical));
    assert_eq!(form(65).encode(), Err(Code::TooLarge));
}

#[test]
fn a_submission_names_devices_with_their_keys() {
    let form = Submit { batches: vec![batch(), Batch { targeted: 1, named: vec![].into(), ..batch() }].into() };
    let bytes = assert_exact(&form, Submit::encode, Submit::decode);
    let first = [
        b"\x03bob\x00\x00\x00\x00\x35".as_slice(),
        b"\x00\x00\x00\x01",
        &[7; 16],
        b"\x01\x00\x00\x00\x05\x08\x08\x08\x08\x08",
        b"\x00\x00\x00\x04",
        &[7; 16],
        b"\x02\x01\x31",
    ];
    assert_eq!(bytes, [b"\x00\x00\x00\x47", first.concat().as_slice(), b"\x03bob\x01\x00\x00\x00\x00"].concat());
}

#[test]
fn a_batch_has_one_encoding() {
    let twice = vec![named(1, Content::Skip { reason: 1 }), named(1, Content::Skip { reason: 2 })];
    let falling = vec![named(2, Content::Skip { reason: 1 }), named(1, Content::Skip { reason: 2 })];
    for form in [
        Batch { named: twice.into(), ..batch() },
        Batch { named: falling.into(), ..batch() },
        Batch { targeted: 2, ..batch() },
    ] {
        assert_eq!(form.encode(), Err(Code::NonCanonical));
        let bytes = codec::encode(&Submit { batches: vec![form].into() }).unwrap();
        assert_eq!(Submit::decode(&bytes).err(), Some(Code::NonCanonical));
    }
    let many = (0..33).map(|device| named(device, Content::Skip { reason: 1 })).collect::<Vec<_>>();
    assert_eq!(Batch { named: many.into(), ..batch() }.encode(), Err(Code::TooLarge));
    assert_eq!(Submit { batches: vec![].into() }.encode(), Err(Code::NonCanonical));
    assert_eq!(Submit { batches: vec![batch(); 65].into() }.encode(), Err(Code::TooLarge));
}

#[test]
fn a_batch_of_a_send_keeps_everything_on_the_wire() {
    let send = event::Batch {
        user: user("bob"),
        targeted: true,
        envelopes: vec![event::Outgoing {
            device: DeviceId(4),
            fingerprint: Fingerprint([1; 16]),
            envelope: vec![9; 9],
        }],
        skips: vec![event::Skipped { device: DeviceId(2), fingerprint: Fingerprint([2; 16]), reason: 305 }],
    };
    let form = Batch::from(send.clone());
    assert_eq!(form.named.as_slice()[0].device, DeviceId(2), "rising by device");
    assert_eq!(event::Batch::from(Batch::decode(&form.encode().unwrap()).unwrap()), send);
}

#[test]
fn batches_that_are_encoded_already_make_the_same_request() {
    for count in 1..=MAX_BATCHES {
        let batches = vec![batch(); count];
        let encoded = batches.iter().map(|batch| batch.encode().unwrap()).collect();
        assert_eq!(Submit::encode_all(encoded), Submit { batches: batches.into() }.encode());
    }
    assert_eq!(Submit::encode_all(vec![Vec::new(); MAX_BATCHES + 1]), Err(Code::TooLarge));
}

#[test]
fn a_receipt_names_the_sender_and_every_byte_of_the_batch() {
    let (alice, bob, form) = (user("alice"), user("bob"), batch());
    let receipt = form.receipt(&alice, DeviceId(1)).unwrap();
    assert_eq!(form.clone().receipt(&alice, DeviceId(1)), Ok(receipt));
    assert_ne!(form.receipt(&alice, DeviceId(2)), Ok(receipt));
    assert_ne!(form.receipt(&bob, DeviceId(1)), Ok(receipt));
    assert_ne!(Batch { targeted: 1, ..form }.receipt(&alice, DeviceId(1)), Ok(receipt));
}

#[test]
fn one_to_256_mails_are_asked_for() {
    let bytes = assert_exact(&Mail { after: 1 << 40, limit: 256 }, Mail::encode, Mail::decode);
    assert_eq!(bytes, [0, 0, 1, 0, 0, 0, 0, 0, 1, 0]);
    for limit in [0, 257, u16::MAX] {
        assert_eq!(Mail { after: 0, limit }.encode(), Err(Code::NonCanonical));
    }
}

#[test]
fn a_confirmation_names_each_id_once() {
    let form = |ids: Vec<u64>| Confirm { through: 3, ids: ids.into() };
    let bytes = assert_exact(&form(vec![5, 6]), Confirm::encode, Confirm::decode);
    assert_eq!(bytes.len(), 8 + 3 + 16);
    assert_exact(&form(vec![]), Confirm::encode, Confirm::decode);
    assert_eq!(form(vec![5, 5]).encode(), Err(Code::NonCanonical));
    assert_eq!(form((0..4_097).collect()).encode(), Err(Code::TooLarge));
}

#[test]
fn a_push_value_may_be_empty() {
    assert_exact(&Push { value: vec![].into() }, Push::encode, Push::decode);
    assert_exact(&Push { value: vec![1; 512].into() }, Push::encode, Push::decode);
    assert_eq!(Push { value: vec![1; 513].into() }.encode(), Err(Code::TooLarge));
}

#[test]
fn the_end_of_an_account_is_exact() {
    let form = Delete { user: user("al"), account_key: [3; 32], time: 9, signature: [4; 64] };
    assert_eq!(assert_exact(&form, Delete::encode, Delete::decode).len(), 3 + 32 + 8 + 64);
}

#[test]
fn a_link_box_has_two_legs() {
    let form = |put: Option<Vec<u8>>| Link { box_name: [5; 16], leg: Leg::Answer, put: put.map(Into::into) };
    let mut bytes = assert_exact(&form(None), Link::encode, Link::decode);
    assert_eq!(bytes[16..], [2, 0]);
    for leg in [0, 3] {
        bytes[16] = leg;
        assert_eq!(Link::decode(&bytes).err(), Some(Code::UnknownType));
    }
    assert_exact(&form(Some(vec![1; 9])), Link::encode, Link::decode);
    let long = form(Some(vec![1; MAX_LINK_LEG + 1]));
    assert_eq!(Link::decode(&codec::encode(&long).unwrap()).err(), Some(Code::TooLarge));
}

#[test]
fn a_request_above_4_mib_is_not_read() {
    assert_eq!(Mail::decode(&vec![0; crate::limits::MAX_EXCHANGE + 1]).err(), Some(Code::TooLarge));
}
