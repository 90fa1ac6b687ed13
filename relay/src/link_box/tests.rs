use super::*;

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
    assert_eq!((boxes.boxes.len(), boxes.bytes), (1, 1));
}

#[test]
fn the_bytes_of_all_boxes_are_bounded() {
    let (mut boxes, now) = (LinkBoxes::default(), Timestamp(1));
    let full = LINK_BYTES / 1_024 / 1_024;
    for number in 0..full {
        assert_eq!(boxes.put(name(number), Leg::Hello, vec![0; 1_024 * 1_024], now), Ok(()));
    }
    assert_eq!(boxes.put(name(full), Leg::Hello, vec![1], now), Err(NoRoom));
    assert_eq!(boxes.look(&name(full), Leg::Hello, now), None);
}
