use super::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(crate::secret::Secret::init_with(|bytes| bytes.fill(seed)))
}

fn caller() -> Caller {
    Caller { user: UserId::try_from("alice").unwrap(), device: DeviceId(3), time: 1_000, nonce: [9; 16] }
}

const REQUEST: Signed<'_> = Signed { audience: "chat.example", path: Path::Submit, body: b"body" };

#[test]
fn a_signature_covers_every_part_of_a_request() {
    let auth = Auth::sign(&key(1), caller(), &REQUEST);
    let verifying = key(1).verifying_key();
    assert_eq!(auth.verify(&verifying, &REQUEST), Ok(()));
    assert_eq!(auth.verify(&key(2).verifying_key(), &REQUEST), Err(Code::BadSignature));
    for other in [
        Signed { audience: "other.example", ..REQUEST },
        Signed { path: Path::Mail, ..REQUEST },
        Signed { body: b"bodx", ..REQUEST },
    ] {
        assert_eq!(auth.verify(&verifying, &other), Err(Code::BadSignature));
    }
    for other in [
        Caller { user: UserId::try_from("alicf").unwrap(), ..caller() },
        Caller { device: DeviceId(4), ..caller() },
        Caller { time: 1_001, ..caller() },
        Caller { nonce: [8; 16], ..caller() },
    ] {
        let auth = Auth { caller: other, ..auth.clone() };
        assert_eq!(auth.verify(&verifying, &REQUEST), Err(Code::BadSignature));
    }
}

#[test]
fn a_header_has_one_text() {
    let auth = Auth::sign(&key(1), caller(), &REQUEST);
    let text = auth.text().unwrap();
    assert!(text.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_'));
    assert!(Auth::from_text(&text).unwrap() == auth);
    for length in 0..text.len() {
        assert!(Auth::from_text(&text[..length]).is_err(), "{length} letters");
    }
    for more in ["=", "A", "AA", " ", "\n"] {
        assert!(Auth::from_text(&format!("{text}{more}")).is_err(), "{more:?}");
    }
}

#[test]
fn the_bits_after_the_last_byte_of_a_header_are_zero() {
    // 98 bytes end with a letter that has two bits to spare.
    let user = UserId::try_from("alic").unwrap();
    let text = Auth::sign(&key(1), Caller { user, ..caller() }, &REQUEST).text().unwrap();
    assert_eq!(text.len(), 131);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (start, last) = text.split_at(130);
    let at = alphabet.find(last).unwrap();
    for spare in 1..4 {
        let other = format!("{start}{}", &alphabet[at + spare..=at + spare]);
        assert_eq!(Auth::from_text(&other).err(), Some(Code::NonCanonical));
    }
}

#[test]
fn a_header_of_another_version_is_refused() {
    let mut bytes = codec::encode(&Auth::sign(&key(1), caller(), &REQUEST)).unwrap();
    bytes[0] = 2;
    assert_eq!(Auth::from_text(&BASE64URL_NOPAD.encode(&bytes)).err(), Some(Code::UnsupportedVersion));
}

#[test]
fn the_longest_header_fits_and_a_longer_one_is_not_read() {
    let user = UserId::try_new(vec![b'u'; MAX_USER_ID]).unwrap();
    let text = Auth::sign(&key(1), Caller { user, ..caller() }, &REQUEST).text().unwrap();
    assert_eq!(text.len(), MAX_TEXT);
    assert!(Auth::from_text(&text).is_ok());
    assert_eq!(Auth::from_text(&"A".repeat(MAX_TEXT + 1)).err(), Some(Code::TooLarge));
}

#[test]
fn the_end_of_an_account_is_signed_for_one_server() {
    let user = UserId::try_from("alice").unwrap();
    let end = Delete::sign(&key(1), "chat.example", user, Timestamp(7));
    assert_eq!(end.verify("chat.example"), Ok(()));
    assert_eq!(end.verify("other.example"), Err(Code::BadSignature));
    assert_eq!(Delete { time: 8, ..end.clone() }.verify("chat.example"), Err(Code::BadSignature));
    let other = Delete { account_key: *key(2).verifying_key().as_bytes(), ..end.clone() };
    assert_eq!(other.verify("chat.example"), Err(Code::BadSignature));
    let user = UserId::try_from("bob").unwrap();
    assert_eq!(Delete { user, ..end.clone() }.verify("chat.example"), Err(Code::BadSignature));
    assert_eq!(Delete { account_key: [0; 32], ..end }.verify("chat.example"), Err(Code::WeakPublicKey));
}
