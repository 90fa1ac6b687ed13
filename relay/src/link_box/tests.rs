use super::*;

const MIB: usize = 1_024 * 1_024;
const MINUTE: Duration = Duration::from_secs(60);

fn name(number: usize) -> Name {
    u128::try_from(number).unwrap().to_be_bytes()
}

#[test]
fn at_most_ten_thousand_boxes_live_at_one_time() {
    let (mut boxes, now) = (LinkBoxes::default(), Timestamp(1));
    for number in 0..LINK_BOXES {
        assert_eq!(boxes.put(name(number), Leg::Hello, vec![1], now), Ok(()));
    }
    assert_eq!(boxes.put(name(LINK_BOXES), Leg::Hello, vec![1], now), Err(NoRoom));
    assert_eq!(boxes.put(name(0), Leg::Answer, vec![2], now), Ok(()), "a box that is there still takes its answer");
    let later = now.plus(KEEP_LINK_BOX);
    assert_eq!(boxes.put(name(LINK_BOXES), Leg::Hello, vec![1], later), Ok(()));
    assert_eq!((boxes.boxes.len(), boxes.bytes, boxes.puts.len()), (1, 1, 1));
}

#[test]
fn the_bytes_of_all_boxes_are_bounded() {
    let (mut boxes, now) = (LinkBoxes::default(), Timestamp(1));
    let full = LINK_BYTES / MIB;
    for number in 0..full {
        assert_eq!(boxes.put(name(number), Leg::Hello, vec![0; MIB], now), Ok(()));
    }
    assert_eq!(boxes.put(name(full), Leg::Hello, vec![1], now), Err(NoRoom));
    assert_eq!(boxes.look(&name(full), Leg::Hello, now), None);
}

#[test]
fn a_box_lives_a_day_and_twenty_minutes_after_its_newest_put() {
    let (mut boxes, now) = (LinkBoxes::default(), Timestamp(1));
    let answered = now.plus(MINUTE * 9);
    assert_eq!(boxes.put(name(0), Leg::Hello, vec![1], now), Ok(()));
    assert_eq!(boxes.put(name(0), Leg::Answer, vec![2], answered), Ok(()));
    let last = answered.plus(KEEP_LINK_BOX - Duration::from_millis(1));
    assert_eq!(boxes.put(name(0), Leg::Answer, vec![3], last), Ok(()));
    assert_eq!(boxes.look(&name(0), Leg::Hello, last), Some(&[1][..]), "the hello stays as long as the answer");
    assert_eq!(boxes.look(&name(0), Leg::Answer, last), Some(&[2][..]), "a put that changes nothing is no new put");
    assert_eq!(boxes.look(&name(0), Leg::Answer, answered.plus(KEEP_LINK_BOX)), None);
    assert_eq!((boxes.boxes.len(), boxes.bytes, boxes.puts.len()), (0, 0, 0));
}

#[test]
fn without_room_the_oldest_boxes_go_once_they_have_lived_twenty_minutes() {
    let (mut boxes, now) = (LinkBoxes::default(), Timestamp(1));
    let full = LINK_BYTES / MIB;
    for number in 0..full {
        let put_at = now.plus(Duration::from_secs(u64::try_from(number).unwrap()));
        assert_eq!(boxes.put(name(number), Leg::Answer, vec![0; MIB], put_at), Ok(()));
    }
    let early = now.plus(SHORTEST_LINK_BOX - Duration::from_millis(1));
    assert_eq!(boxes.put(name(full), Leg::Hello, vec![1], early), Err(NoRoom));
    let later = now.plus(SHORTEST_LINK_BOX);
    assert_eq!(boxes.put(name(full), Leg::Hello, vec![1], later), Ok(()));
    assert_eq!(boxes.look(&name(0), Leg::Answer, later), None, "the oldest has made room");
    assert!(boxes.look(&name(1), Leg::Answer, later).is_some(), "and no more than that was needed");
    assert_eq!(boxes.put(name(full + 1), Leg::Hello, vec![0; MIB], later), Err(NoRoom));
}
