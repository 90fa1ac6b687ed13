use super::{super::codec::tests::assert_exact, *};

const STOCK: Stock = Stock { one_time: 39, wanted: 40, generation: 2 };

#[test]
fn a_stock_has_16_bytes() {
    let bytes = assert_exact(&STOCK, Stock::encode, Stock::decode);
    assert_eq!(bytes, [0, 0, 0, 39, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 2]);
}

#[test]
fn a_missing_list_and_a_missing_bundle_keep_their_place() {
    let lists = Lists { lists: vec![None, Some(vec![1, 2].into())].into() };
    assert_eq!(assert_exact(&lists, Lists::encode, Lists::decode), [0, 0, 0, 6, 0, 1, 0, 2, 1, 2]);
    let bundles = Bundles { bundles: vec![Some(vec![3].into()), None].into() };
    assert_eq!(assert_exact(&bundles, Bundles::encode, Bundles::decode), [0, 0, 0, 5, 1, 0, 1, 3, 0]);
}

#[test]
fn four_megabytes_of_missing_lists_are_not_decoded() {
    let length = crate::limits::MAX_EXCHANGE - 4;
    let bytes = [u32::try_from(length).unwrap().to_be_bytes().as_slice(), &vec![0; length]].concat();
    assert_eq!(Lists::decode(&bytes).err(), Some(Code::NonCanonical));
    assert_eq!(Bundles::decode(&bytes).err(), Some(Code::NonCanonical));
}

#[test]
fn each_result_is_exact() {
    let devices = |ids: &[u32]| ids.iter().map(|id| DeviceId(*id)).collect::<Vec<_>>().into();
    let stale = |missing: &[u32]| SubmitResult::Stale {
        list: vec![9; 3].into(),
        missing: devices(missing),
        gone: devices(&[]),
        changed: devices(&[2]),
    };
    let all = vec![
        SubmitResult::Taken { id: 5, list: [1; 32] },
        SubmitResult::TakenBefore { id: 4, list: [2; 32] },
        stale(&[1, 3]),
        SubmitResult::NoSuchUser,
        SubmitResult::SenderNotListed,
        SubmitResult::Malformed,
        SubmitResult::Full { devices: devices(&[7]) },
        SubmitResult::Later { seconds: 60 },
        SubmitResult::Policy,
    ];
    for (kind, result) in (1..).zip(&all) {
        let form = Submit { results: vec![result.clone()].into() };
        assert_eq!(assert_exact(&form, Submit::encode, Submit::decode)[4], kind);
    }
    assert_exact(&Submit { results: all.into() }, Submit::encode, Submit::decode);
    assert_eq!(Submit { results: vec![stale(&[3, 1])].into() }.encode(), Err(Code::NonCanonical));
    for kind in [0, 10] {
        assert_eq!(Submit::decode(&[0, 0, 0, 1, kind]).err(), Some(Code::UnknownType));
    }
    let zeros = SubmitResult::Full { devices: devices(&[3, 3]) };
    assert_eq!(Submit { results: vec![zeros].into() }.encode(), Err(Code::NonCanonical));
}

#[test]
fn a_page_of_mail_rises() {
    let form = |ids: &[u64]| {
        let mails = ids.iter().map(|id| Delivered { id: *id, envelope: vec![6; 3].into() }).collect::<Vec<_>>();
        Mail { mails: mails.into(), left: 1, stock: STOCK }
    };
    let bytes = assert_exact(&form(&[7, 9]), Mail::encode, Mail::decode);
    assert_eq!(bytes.len(), 4 + 2 * (8 + 4 + 3) + 4 + 16);
    assert_exact(&form(&[]), Mail::encode, Mail::decode);
    assert_eq!(form(&[9, 7]).encode(), Err(Code::NonCanonical));
    assert_eq!(form(&(0..257).collect::<Vec<_>>()).encode(), Err(Code::TooLarge));
}

#[test]
fn a_link_box_answers_with_what_lies_there() {
    assert_exact(&Link { found: None }, Link::encode, Link::decode);
    assert_exact(&Link { found: Some(vec![1; 5].into()) }, Link::encode, Link::decode);
    let long = Link { found: Some(vec![1; MAX_LINK_LEG + 1].into()) };
    assert_eq!(Link::decode(&codec::encode(&long).unwrap()).err(), Some(Code::TooLarge));
}

#[test]
fn a_problem_says_when_to_come_again() {
    let form = Problem { code: 322, retry_after_ms: 1_000, time: 5, list: vec![].into() };
    assert_eq!(assert_exact(&form, Problem::encode, Problem::decode).len(), 2 + 4 + 8 + 2);
    assert_exact(&Problem { list: vec![1; 4].into(), ..form }, Problem::encode, Problem::decode);
}

#[test]
fn a_page_of_a_captive_portal_is_no_answer() {
    let page = b"<!DOCTYPE html><html><body>Log in</body></html>";
    assert!(Stock::decode(page).is_err());
    assert!(Lists::decode(page).is_err());
    assert!(Bundles::decode(page).is_err());
    assert!(Submit::decode(page).is_err());
    assert!(Mail::decode(page).is_err());
    assert!(Link::decode(page).is_err());
    assert!(Problem::decode(page).is_err());
}
