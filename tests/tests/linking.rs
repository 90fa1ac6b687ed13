//! Linking a device through a box at the server (X 7): the digits, the code, what is late, what an answer holds.

use sesame_core::internal::steps::Steps;
use sesame_core::{
    context::Timestamp,
    device::LinkRequests,
    error::Code,
    event::{GroupChange, LinkLeg, LinkWait},
    ids::{DeviceId, LinkId},
    internal::{
        record::{OfferState, Record, ServerState},
        store::{Kind, Places, Sealer},
        wire::answer,
    },
    limits::{LINK_ANSWER, LINK_EXPIRY, MAX_LINK_LEG, MAX_LINKS},
};
use sesame_tests::{ALICE, BOB, World, linking::Boxes, store_key, user};
use std::{collections::BTreeMap, time::Duration};

/// No leg was put.
const NONE: [bool; 0] = [];

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}

#[test]
fn n_t15_both_sides_show_the_same_digits_and_nothing_is_signed_before_the_app_confirms() {
    let mut world = World::pair(1);
    let (new, mut boxes) = (world.begin_link(), Boxes::default());
    let before = world.list("alice").list.epoch;
    let (id, digits) = world.link_device(ALICE, new.linking.code()).unwrap();
    assert!(digits.len() == 15 && digits.bytes().all(|digit| digit.is_ascii_digit()), "{digits}");
    assert_eq!(new.linking.digits(), Ok(None));
    assert_eq!(world.put_all(ALICE, &mut boxes), [true]);
    assert_eq!(new.hear(&mut world, &boxes), Ok(digits.clone()));
    assert_eq!(new.linking.digits(), Ok(Some(digits)));
    assert_eq!(new.linking.next_leg(), Ok(None), "the app has to confirm");
    assert_eq!(world.list("alice").list.epoch, before);
    assert_eq!(world.put_all(ALICE, &mut boxes), NONE, "nothing is due");

    new.linking.confirm(&mut world.outside()).unwrap();
    assert_eq!(new.linking.next_leg(), Ok(Some(LinkWait { id, leg: LinkLeg::Answer })));
    assert_eq!(world.confirm_link(ALICE, &id), Ok(DeviceId(2)));
    assert_eq!(world.confirm_link(ALICE, &id), Ok(DeviceId(2)), "a repeated call gives the same id");
    assert_eq!(world.put_all(ALICE, &mut boxes), NONE, "the list is not published");
    world.publish(ALICE);
    assert_eq!(world.put_all(ALICE, &mut boxes), [true]);
    assert_eq!(world.put_all(ALICE, &mut boxes), NONE);
    let answer = boxes.get(LinkWait { id, leg: LinkLeg::Answer }).unwrap();
    let device = new.linking.complete(&mut world.outside(), &answer).unwrap();
    assert_eq!((device.user(), device.id()), (&user("alice"), DeviceId(2)));
    let (sealer, key) = (Sealer::new(&store_key()), Places::only(Kind::Server));
    let server =
        |rows: BTreeMap<Vec<u8>, Vec<u8>>| ServerState::decode(&sealer.open(&key, &rows[&*key]).unwrap()).unwrap().name;
    let primarys = server(world.dump(ALICE));
    assert!(!primarys.is_empty());
    assert_eq!(server(new.store.inner.dump()), primarys, "requests are signed for the same server");
}

#[test]
fn a_code_that_is_read_again_is_the_same_link_and_after_its_end_it_is_used() {
    let mut world = World::pair(2);
    let new = world.begin_link();
    let first = world.link_device(ALICE, new.linking.code()).unwrap();
    assert_eq!(world.link_device(ALICE, new.linking.code()), Ok(first.clone()));
    world.reopen(ALICE);
    assert_eq!(world.link_device(ALICE, new.linking.code()), Ok(first.clone()), "also after a crash");
    world.confirm_link(ALICE, &first.0).unwrap();
    assert_eq!(world.link_device(ALICE, new.linking.code()), Err(Code::LinkUsed));
    let cancelled = world.with(ALICE, |device, context| device.cancel_link(context, &first.0));
    assert_eq!(cancelled.unwrap_err().code, Code::LinkUsed);
    // Not even when the device is off the list again.
    world.remove(("alice", 2));
    assert_eq!(world.link_device(ALICE, new.linking.code()), Err(Code::LinkUsed));
    assert_eq!(world.link_posts(ALICE).len(), 1);
    let due = world.link_posts(ALICE);
    assert!(due.iter().all(|post| post.leg == LinkLeg::Hello), "a removed device needs no answer");
}

#[test]
fn a_cancelled_link_signs_nothing_and_its_code_is_used() {
    let mut world = World::pair(3);
    let new = world.begin_link();
    let (id, _) = world.link_device(ALICE, new.linking.code()).unwrap();
    for _ in 0..2 {
        world.with(ALICE, |device, context| device.cancel_link(context, &id)).unwrap();
    }
    assert_eq!(world.confirm_link(ALICE, &id), Err(Code::LinkUsed));
    assert_eq!(world.link_device(ALICE, new.linking.code()), Err(Code::LinkUsed));
    assert_eq!(world.link_posts(ALICE), vec![]);
    assert_eq!(world.list("alice").list.last_id, 1);
    let unknown = LinkId([7; 16]);
    assert_eq!(world.with(ALICE, |device, context| device.cancel_link(context, &unknown)), Ok(()));
    assert_eq!(world.confirm_link(ALICE, &unknown), Err(Code::LinkExpired));
}

#[test]
fn what_comes_late_is_expired_on_both_sides_until_both_have_confirmed() {
    let mut world = World::pair(7);
    let new = world.begin_link();
    let (id, _) = world.link_device(ALICE, new.linking.code()).unwrap();
    let hello = world.link_leg(ALICE, &id, LinkLeg::Hello);
    let now = Timestamp(world.now);
    world.pass(ms(LINK_EXPIRY) + 1);
    assert_eq!(new.linking.expired(now), Ok(false));
    assert_eq!(new.linking.expired(Timestamp(world.now)), Ok(true));
    let late = new.linking.hear_hello(&mut world.outside(), &hello).unwrap_err();
    assert_eq!(late.code, Code::LinkExpired);
    assert_eq!(world.confirm_link(ALICE, &id), Err(Code::LinkExpired));
    assert_eq!(world.link_posts(ALICE), vec![]);
    assert_eq!(world.link_device(ALICE, new.linking.code()), Err(Code::LinkExpired));

    // Heard in time, confirmed too late.
    let new = world.begin_link();
    let early = new.linking.confirm(&mut world.outside()).unwrap_err();
    assert_eq!((early.code, early.field), (Code::InvalidArgument, Some("hello")));
    let (id, _) = world.link_device(ALICE, new.linking.code()).unwrap();
    let hello = world.link_leg(ALICE, &id, LinkLeg::Hello);
    new.linking.hear_hello(&mut world.outside(), &hello).unwrap();
    world.pass(ms(LINK_EXPIRY) + 1);
    assert_eq!(new.linking.confirm(&mut world.outside()).unwrap_err().code, Code::LinkExpired);
}

#[test]
fn the_answer_of_a_confirmed_link_may_come_a_day_late_and_no_later() {
    for (late, taken) in [(ms(LINK_ANSWER), true), (ms(LINK_ANSWER) + 1, false)] {
        let mut world = World::pair(8);
        let (new, _, answer) = world.confirmed_link();
        world.publish(ALICE);
        world.pass(ms(LINK_EXPIRY) + late);
        assert_eq!(new.linking.expired(Timestamp(world.now)), Ok(!taken));
        let due = world.link_posts(ALICE);
        assert_eq!(due.iter().any(|post| post.leg == LinkLeg::Answer), taken);
        let completed = new.linking.complete(&mut world.outside(), &answer).map(|device| device.id());
        assert_eq!(completed.map_err(|e| e.code), if taken { Ok(DeviceId(2)) } else { Err(Code::LinkExpired) });
    }
}

#[test]
fn a_clock_that_is_set_back_delays_no_look_and_no_answer() {
    let mut world = World::pair(19);
    let new = world.begin_link();
    let mut requests = LinkRequests::new();
    let look = |world: &mut World, requests: &mut LinkRequests| {
        new.linking.next_request(&mut world.outside(), requests).unwrap()
    };
    assert!(look(&mut world, &mut requests).is_some());
    assert_eq!(look(&mut world, &mut requests), None, "it is lent");
    world.now -= 30 * 60 * 1_000;
    let request = look(&mut world, &mut requests).expect("its minute is over by this clock");
    let nothing = answer::Link { found: None }.encode().unwrap();
    new.linking.found(&mut world.outside(), &mut requests, &request.id, (200, &nothing));
    assert_eq!(look(&mut world, &mut requests), None, "it waits two seconds");
    world.now -= 30 * 60 * 1_000;
    assert_eq!(new.linking.due_in(Timestamp(world.now), &requests), Ok(0));
    assert!(look(&mut world, &mut requests).is_some());

    let mut boxes = Boxes::default();
    world.confirmed_link();
    world.publish(ALICE);
    world.put_all(ALICE, &mut boxes);
    assert_eq!(world.put_all(ALICE, &mut boxes), NONE);
    world.now -= 1;
    assert_eq!(world.put_all(ALICE, &mut boxes), [true], "the time of the put lies ahead");
    assert_eq!(world.put_all(ALICE, &mut boxes), NONE);
}

#[test]
fn clocks_that_are_apart_are_told_from_a_code_that_has_expired() {
    let minute = 60 * 1_000;
    let day = 24 * 60 * minute;
    // How far the primary's clock is ahead of the new device's, in ms.
    let cases = [
        (0, None),
        (9 * minute, None),
        (11 * minute, Some((Code::LinkExpired, "60 s ago by this device's clock"))),
        (day, Some((Code::LinkExpired, "85800 s ago by this device's clock"))),
        (
            day + 11 * minute,
            Some((Code::LinkClock, "this device's clock is at least 86460 s ahead, or the code is old")),
        ),
        (-9 * minute, None),
        (-11 * minute, Some((Code::LinkClock, "this device's clock is at least 660 s behind"))),
        (-400 * day, Some((Code::LinkClock, "this device's clock is at least 34560000 s behind"))),
    ];
    for (ahead, expected) in cases {
        let mut world = World::pair(9);
        let new = world.begin_link();
        world.now = world.now.checked_add_signed(ahead).unwrap();
        let read = world.with(ALICE, |device, context| device.link_device(context, new.linking.code()));
        let refused = read.err().map(|error| (error.code, error.detail.unwrap()));
        assert_eq!(refused.as_ref().map(|(code, detail)| (*code, detail.as_str())), expected, "{ahead}");
    }
}

#[test]
fn n_t15_a_typo_in_any_position_is_malformed_and_makes_no_device() {
    let mut world = World::pair(10);
    let new = world.begin_link();
    let (code, before) = (new.linking.code().to_owned(), world.dump(ALICE));
    for at in 0..code.len() {
        let other = if &code[at..=at] == "M" { "N" } else { "M" };
        let typo = format!("{}{other}{}", &code[..at], &code[at + 1..]);
        assert_eq!(world.link_device(ALICE, &typo), Err(Code::LinkMalformed), "{at}");
    }
    assert_eq!(world.dump(ALICE), before);
    assert!(world.link_device(ALICE, &code.to_lowercase()).is_ok());
}

#[test]
fn only_the_primary_links_and_only_so_many_at_once() {
    let mut world = World::pair(11);
    let second = world.link("alice");
    let new = world.begin_link();
    assert_eq!(world.link_device(second, new.linking.code()), Err(Code::NotPrimary));
    let mut links = Vec::new();
    for _ in 0..MAX_LINKS {
        let new = world.begin_link();
        links.push(world.link_device(ALICE, new.linking.code()).unwrap().0);
    }
    assert_eq!(world.link_device(ALICE, new.linking.code()), Err(Code::TooMany));
    // One that is cancelled, confirmed or expired makes room.
    world.with(ALICE, |device, context| device.cancel_link(context, &links[0])).unwrap();
    assert!(world.link_device(ALICE, new.linking.code()).is_ok());
    let another = world.begin_link();
    assert_eq!(world.link_device(ALICE, another.linking.code()), Err(Code::TooMany));
    world.pass(ms(LINK_EXPIRY) + 1);
    let another = world.begin_link();
    assert!(world.link_device(ALICE, another.linking.code()).is_ok());
    // Expired rows are gone, with the secrets in them.
    assert_eq!(world.offered_links(ALICE).len(), 2, "the link of the second device is kept for a day, and this one");
}

#[test]
fn a_link_leaves_no_secret_in_the_primarys_store() {
    let mut world = World::pair(12);
    let (new, id, answer) = world.confirmed_link();
    let [link] = &world.offered_links(ALICE)[..] else { panic!("one link") };
    let OfferState::Confirmed { device, answer: kept, .. } = &link.state else { panic!("{link:?}") };
    assert_eq!((*device, kept), (DeviceId(2), &answer));
    let secret = new.pending().secret;
    let plain = link.encode().unwrap();
    assert!(!plain.windows(32).any(|window| window == secret.expose()));
    world.pass(ms(LINK_EXPIRY + LINK_ANSWER) + 1);
    world.with(ALICE, |device, context| device.tick(context, false)).unwrap();
    assert!(world.offered_links(ALICE).is_empty());
    assert_eq!(world.confirm_link(ALICE, &id), Err(Code::LinkExpired));
}

#[test]
fn an_answer_fits_its_box_and_a_group_without_room_comes_after_it() {
    let mut world = World::acquainted(17, &[("alice", 1), ("bob", 1)]);
    let groups = ["One", "Two", "Small"].map(|name| world.found(ALICE, name, &["bob"]));
    let data = vec![7; 4_096];
    for group in &groups[..2] {
        for n in 0..170 {
            let app_data = Some([&[n], data.as_slice()].concat()[..4_096].to_vec());
            let change = GroupChange { app_data, ..Default::default() };
            let send = world.in_group(ALICE, *group, |group, c| group.update_info(c, &change)).unwrap();
            assert_eq!(world.drive(ALICE, send).unwrap(), None);
            world.steal(BOB);
        }
    }
    let new = world.link_quietly("alice");
    let answers = world.offered_links(ALICE).into_iter().filter_map(|link| match link.state {
        OfferState::Confirmed { answer, .. } => Some(answer),
        _ => None,
    });
    let sizes: Vec<usize> = answers.map(|answer| answer.len()).collect();
    assert!(sizes.len() == 1 && (600_000..=MAX_LINK_LEG).contains(&sizes[0]), "{sizes:?}");
    let known = |world: &mut World| {
        let views = world.with(new, |device, context| device.groups(context)).unwrap();
        groups.iter().filter(|id| views.iter().any(|view| view.id == **id)).count()
    };
    assert_eq!(known(&mut world), 2);
    world.publish(ALICE);
    world.publish(new);
    world.with(ALICE, |device, context| device.tick(context, false)).unwrap();
    world.flush(ALICE);
    world.read(new);
    assert_eq!(known(&mut world), 3, "the largest group was pushed");
}
