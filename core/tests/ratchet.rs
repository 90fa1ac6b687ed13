//! The Double Ratchet by itself: limits, order, losses, failures (T60 to T67).

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use rand_chacha::{ChaCha20Rng, rand_core::Rng, rand_core::SeedableRng};
use sesame_core::context::{Context, Timestamp};
use sesame_core::error::Code;
use sesame_core::internal::crypto::kdf::sha256;
use sesame_core::internal::crypto::x25519::{PrivateKey, PublicPoint};
use sesame_core::internal::ratchet::{Message, Position, Ratchet, Start, chain_tag, message};
use sesame_core::internal::record::{Block, Cold, Record};
use sesame_core::secret::{Secret, Shared};
use std::collections::BTreeMap;

/// One side with its stored blocks and its index, as a session keeps them.
#[derive(Clone)]
struct Side {
    ratchet: Ratchet,
    blocks: BTreeMap<(u32, u32), Block>,
    index: BTreeMap<[u8; 16], u32>,
}

#[derive(Clone)]
struct Sent {
    salt: [u8; 16],
    tag: [u8; 16],
    header: Vec<u8>,
    commitment: [u8; 32],
    body: Vec<u8>,
    text: Vec<u8>,
}

impl Side {
    fn new(ratchet: Ratchet) -> Self {
        let index = BTreeMap::from([ratchet.first_tag()]);
        Self { ratchet, blocks: BTreeMap::new(), index }
    }

    fn send(&mut self, rng: &mut ChaCha20Rng, text: &[u8]) -> Sent {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let (sent, sealed) = self.ratchet.sending().seal(&salt).unwrap();
        let bound =
            message::Bound { salt: &salt, associated_data: &self.ratchet.cold.associated_data, head: &sealed.header };
        let (commitment, body) = message::seal(&sealed.message_key, bound, text).unwrap();
        self.ratchet.hot = sent.hot;
        self.ratchet.cold = sent.cold.unwrap_or_else(|| self.ratchet.cold.clone());
        Sent { salt, tag: sealed.chain_tag, header: sealed.header, commitment, body, text: text.to_vec() }
    }

    fn try_receive(&self, rng: &mut ChaCha20Rng, sent: &Sent) -> Result<(Self, Vec<u8>), Code> {
        let chain = *self.index.get(&sent.tag).ok_or(Code::NoSession)?;
        let load = |chain, block| self.blocks.get(&(chain, block)).cloned().ok_or(Code::RecordInconsistent);
        let mut context = Context { now: Timestamp(0), rng };
        let position = Position::read(&self.ratchet.cold, chain, &sent.salt, &sent.header)?;
        let message = Message {
            position: &position,
            salt: &sent.salt,
            head: &sent.header,
            commitment: &sent.commitment,
            body: &sent.body,
        };
        let (delta, text) = self.ratchet.open(&mut context, message, &load)?;
        let mut next = self.clone();
        for (at, block) in &delta.blocks {
            match block {
                Some(block) => drop(next.blocks.insert(*at, block.clone())),
                None => drop(next.blocks.remove(at)),
            }
        }
        next.index.extend(delta.tags_added.iter().copied());
        delta.tags_removed.iter().for_each(|tag| {
            next.index.remove(tag);
        });
        next.ratchet.apply(delta);
        Ok((next, text.to_vec()))
    }

    fn receive(&mut self, rng: &mut ChaCha20Rng, sent: &Sent) -> Result<(), Code> {
        let (next, text) = self.try_receive(rng, sent)?;
        assert_eq!(text, sent.text);
        *self = next;
        Ok(())
    }

    fn stored(&self) -> usize {
        self.blocks.values().map(|block| block.keys.len()).sum()
    }

    fn bytes(&self) -> Vec<u8> {
        let r = &self.ratchet;
        let mut all = r.hot.encode().unwrap().to_vec();
        all.extend_from_slice(&r.directory.encode().unwrap());
        all.extend_from_slice(r.cold.root.expose());
        self.blocks.values().for_each(|block| all.extend_from_slice(&block.encode().unwrap()));
        all
    }
}

fn pair(seed: u64) -> (Side, Side, ChaCha20Rng) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let start = || Start {
        associated_data: [7; 32],
        root: Shared::init_with(|k| k.fill(1)),
        initiator_header: Shared::init_with(|k| k.fill(2)),
        responder_header: Shared::init_with(|k| k.fill(3)),
    };
    let mut context = Context { now: Timestamp(0), rng: &mut rng };
    let bob = PrivateKey::generate(&mut context);
    let alice = Ratchet::initiator(&mut context, start(), &PublicPoint::of(&bob.public_key()).unwrap()).unwrap();
    (Side::new(alice), Side::new(Ratchet::responder(start(), &bob)), rng)
}

#[test]
fn t60_the_transcript_of_a_fixed_conversation_never_changes() {
    let (mut alice, mut bob, mut rng) = pair(60);
    let mut transcript = Vec::new();
    for round in 0..6_u8 {
        for text in [[round; 3], [round + 1; 3]] {
            let sent = alice.send(&mut rng, &text);
            for part in [&sent.tag[..], &sent.header, &sent.commitment, &sent.body] {
                transcript.extend_from_slice(part);
            }
            bob.receive(&mut rng, &sent).unwrap();
        }
        std::mem::swap(&mut alice, &mut bob);
    }
    let digest: String = sha256(&transcript).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, "07b42429a077c6dde803c9acdc3a7ba3fb3d45a281431839f45abfdd97ce1996");
}

#[test]
fn t61_a_message_may_lie_exactly_max_jump_ahead_and_the_newest_1000_keys_are_kept() {
    let (mut alice, bob, mut rng) = pair(61);
    let first = alice.send(&mut rng, b"first");
    let mut settled = bob.clone();
    settled.receive(&mut rng, &first).unwrap();
    let mut sent: Vec<Sent> = (0..25_002).map(|_| alice.send(&mut rng, b"x")).collect();
    let too_far = sent.pop().unwrap();
    assert_eq!(settled.try_receive(&mut rng, &too_far).map(drop), Err(Code::TooFarAhead));
    let exactly = sent.pop().unwrap();
    settled.receive(&mut rng, &exactly).unwrap();
    assert_eq!(settled.stored(), 1_000);
    for one in [&sent[0], &sent[12_345], &sent[23_999]] {
        assert_eq!(settled.receive(&mut rng, one), Err(Code::MessageKeyExpired));
    }
    assert_eq!(settled.receive(&mut rng, &first), Err(Code::ReusedIndex));
    for one in &sent[24_000..] {
        settled.receive(&mut rng, one).unwrap();
    }
    assert_eq!(settled.stored(), 0);
    settled.receive(&mut rng, &too_far).unwrap();
    assert_eq!(settled.receive(&mut rng, &sent[5]), Err(Code::MessageKeyExpired));
}

#[test]
fn t62_keys_are_skipped_across_a_dh_step_up_to_pn() {
    let (mut alice, mut bob, mut rng) = pair(62);
    let first = alice.send(&mut rng, b"0");
    bob.receive(&mut rng, &first).unwrap();
    let late: Vec<Sent> = (0..5).map(|_| alice.send(&mut rng, b"late")).collect();
    let answer = bob.send(&mut rng, b"answer");
    alice.receive(&mut rng, &answer).unwrap();
    let next = alice.send(&mut rng, b"on the next chain");
    bob.receive(&mut rng, &next).unwrap();
    assert_eq!(bob.stored(), 5);
    for one in late.iter().rev() {
        bob.receive(&mut rng, one).unwrap();
        assert_eq!(bob.receive(&mut rng, one), Err(Code::ReusedIndex));
    }
    assert_eq!(bob.stored(), 0);
}

#[test]
fn t63_at_most_2000_keys_are_stored_and_the_oldest_expire() {
    let (mut alice, mut bob, mut rng) = pair(63);
    let mut lost = Vec::new();
    for _ in 0..3 {
        lost.push((0..900).map(|_| alice.send(&mut rng, b"lost")).collect::<Vec<_>>());
        let got = alice.send(&mut rng, b"got");
        bob.receive(&mut rng, &got).unwrap();
        let answer = bob.send(&mut rng, b"answer");
        alice.receive(&mut rng, &answer).unwrap();
    }
    assert!(bob.stored() <= 2_000 && bob.stored() > 1_900, "{}", bob.stored());
    assert_eq!(bob.try_receive(&mut rng, &lost[0][0]).map(drop), Err(Code::MessageKeyExpired));
    bob.receive(&mut rng, &lost[2][899]).unwrap();
    bob.receive(&mut rng, &lost[1][899]).unwrap();
}

#[test]
fn t63_a_key_dies_after_1000_messages() {
    let (mut alice, mut bob, mut rng) = pair(64);
    let lost = alice.send(&mut rng, b"lost");
    for n in 0..1_002 {
        let sent = alice.send(&mut rng, b"x");
        bob.receive(&mut rng, &sent).unwrap();
        assert_eq!(bob.stored(), usize::from(n < 1_000), "{n}");
    }
    assert_eq!(bob.receive(&mut rng, &lost), Err(Code::MessageKeyExpired));
}

#[test]
fn t63_a_key_dies_after_5_dh_steps() {
    let (mut alice, mut bob, mut rng) = pair(65);
    let lost = alice.send(&mut rng, b"lost");
    for step in 0..7 {
        let sent = alice.send(&mut rng, b"x");
        bob.receive(&mut rng, &sent).unwrap();
        let answer = bob.send(&mut rng, b"y");
        alice.receive(&mut rng, &answer).unwrap();
        assert_eq!(bob.stored(), usize::from(step < 6), "{step}");
    }
    // The chain left the index, so that the tag leads nowhere.
    assert_eq!(bob.receive(&mut rng, &lost), Err(Code::NoSession));
    assert!(bob.index.len() <= 7);
}

#[test]
fn t64_a_failed_body_keeps_the_stored_key_and_everything_else() {
    let (mut alice, mut bob, mut rng) = pair(66);
    let late = alice.send(&mut rng, b"late");
    let sent = alice.send(&mut rng, b"x");
    bob.receive(&mut rng, &sent).unwrap();
    let before = bob.bytes();
    for part in 0..3 {
        let mut forged = late.clone();
        match part {
            0 => forged.body[3] ^= 1,
            1 => forged.commitment[3] ^= 1,
            _ => forged.header[3] ^= 1,
        }
        assert_eq!(bob.receive(&mut rng, &forged), Err(Code::AuthenticationFailed));
        assert_eq!(bob.bytes(), before);
    }
    bob.receive(&mut rng, &late).unwrap();
}

#[test]
fn t65_each_chain_has_a_tag_of_its_own_and_another_session_has_none_of_them() {
    let (mut alice, mut bob, mut rng) = pair(67);
    let same = [alice.send(&mut rng, b"1"), alice.send(&mut rng, b"2")];
    assert_eq!(same[0].tag, same[1].tag);
    bob.receive(&mut rng, &same[1]).unwrap();
    let answer = bob.send(&mut rng, b"answer");
    alice.receive(&mut rng, &answer).unwrap();
    let next = alice.send(&mut rng, b"3");
    assert_ne!(next.tag, same[0].tag);
    assert_ne!(next.tag, answer.tag);
    bob.receive(&mut rng, &next).unwrap();
    bob.receive(&mut rng, &same[0]).unwrap();
    let stranger = Secret::init_with(|k: &mut [u8; 32]| k.fill(9));
    assert!(!bob.index.contains_key(&chain_tag(&stranger)));
}

#[test]
fn t66_ten_thousand_messages_in_any_order_within_the_window() {
    let (mut alice, mut bob, mut rng) = pair(68);
    for window in 0..25_u32 {
        let mut waiting: Vec<Sent> =
            (0..400).map(|n| alice.send(&mut rng, &(window * 400 + n).to_be_bytes())).collect();
        while !waiting.is_empty() {
            let at = rng.next_u32() as usize % waiting.len();
            let sent = waiting.swap_remove(at);
            bob.receive(&mut rng, &sent).unwrap();
        }
    }
    assert_eq!(bob.stored(), 0);
}

#[test]
fn t67_both_directions_interleave_with_losses_and_duplicates() {
    for seed in 0..60 {
        let (alice, bob, mut rng) = pair(1_000 + seed);
        let mut sides = [alice, bob];
        let mut flying: [Vec<Sent>; 2] = [vec![], vec![]];
        let first = sides[0].send(&mut rng, b"first");
        sides[1].receive(&mut rng, &first).unwrap();
        for _ in 0..300 {
            let me = (rng.next_u32() & 1) as usize;
            match rng.next_u32() % 8 {
                0..=3 => {
                    let text = rng.next_u64().to_be_bytes();
                    let sent = sides[me].send(&mut rng, &text);
                    flying[1 - me].push(sent);
                }
                4 if !flying[me].is_empty() => {
                    let at = rng.next_u32() as usize % flying[me].len();
                    flying[me].remove(at);
                }
                _ if !flying[me].is_empty() => {
                    let at = rng.next_u32() as usize % flying[me].len();
                    let sent = flying[me].remove(at);
                    match sides[me].receive(&mut rng, &sent) {
                        Ok(()) => assert_eq!(sides[me].receive(&mut rng, &sent), Err(Code::ReusedIndex)),
                        // A chain that is more than five DH steps old.
                        Err(code) => assert_eq!(code, Code::NoSession),
                    }
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a43_a_used_up_chain_refuses_to_wrap() {
    let (mut alice, _, _) = pair(69);
    alice.ratchet.hot.sent = u32::MAX;
    assert_eq!(alice.ratchet.sending().seal(&[0; 16]).map(drop), Err(Code::TooFarAhead));
}

impl Side {
    /// Seals messages that nobody will get.
    fn lose(&mut self, rng: &mut ChaCha20Rng, messages: u32) {
        (0..messages).for_each(|_| drop(self.send(rng, b"")));
    }
}

#[test]
fn n_l01_an_answer_heals_a_direction_that_has_lost_any_number_of_messages() {
    for lost in [1_001, 25_000, 25_001, 60_000] {
        let (mut alice, mut bob, mut rng) = pair(70);
        let [early, first] = [(); 2].map(|()| alice.send(&mut rng, b"first"));
        bob.receive(&mut rng, &first).unwrap();
        alice.lose(&mut rng, lost);
        let late = alice.send(&mut rng, b"late");
        let beyond = bob.try_receive(&mut rng, &late).map(drop);
        assert_eq!(beyond, if lost > 25_000 { Err(Code::TooFarAhead) } else { Ok(()) });
        // An answer of Bob's, and Alice goes on: all that she has lost is on a chain that has ended.
        let answer = bob.send(&mut rng, b"answer");
        alice.receive(&mut rng, &answer).unwrap();
        let next = alice.send(&mut rng, b"next");
        bob.receive(&mut rng, &next).unwrap();
        assert_eq!(bob.stored(), if lost < 25_000 { 1_001 } else { 1 }.min(1_000), "of {lost} lost");
        // What was skipped before is there, and what was given up says so.
        bob.receive(&mut rng, &early).unwrap_or_else(|code| assert_eq!((lost, code), (1_001, Code::MessageKeyExpired)));
        let given_up = bob.receive(&mut rng, &late);
        assert_eq!(given_up, if lost < 25_000 { Ok(()) } else { Err(Code::MessageKeyExpired) });
        assert_eq!(bob.receive(&mut rng, &first), Err(Code::ReusedIndex));
    }
}

/// A message with its chain, its number, and the length of the chain before.
type Flying = (Sent, (u32, u32), u32);

/// What a receiver should make of each message, by the rules alone.
#[derive(Default)]
struct Oracle {
    /// The newest chain of which something has come.
    chain: u32,
    /// The number after the last one of it.
    received: u32,
    accepted: u64,
    /// Numbers that were passed over, and how many messages were accepted before; oldest first.
    skipped: Vec<((u32, u32), u64)>,
    used: std::collections::BTreeSet<(u32, u32)>,
}

impl Oracle {
    fn skip(&mut self, until: u32) {
        let from = self.received.max(until.saturating_sub(1_000));
        self.skipped.extend((from..until).map(|n| ((self.chain, n), self.accepted)));
        let of_chain = self.skipped.iter().filter(|((chain, _), _)| *chain == self.chain).count();
        let mut surplus = of_chain.saturating_sub(1_000);
        let chain = self.chain;
        self.skipped.retain(|((of, _), _)| {
            let goes = *of == chain && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
        self.received = self.received.max(until);
    }

    /// Judges what a receiver made of a message whose chain and number are `at`, the chain before it having had `pn` messages.
    fn judge(&mut self, at: (u32, u32), pn: u32, result: Result<(), Code>) {
        let (chain, n) = at;
        let ahead = if chain > self.chain { n } else { n.saturating_sub(self.received) };
        if chain >= self.chain && ahead > 25_000 {
            assert_eq!(result, Err(Code::TooFarAhead), "{at:?}");
            return;
        }
        if chain > self.chain || (chain == self.chain && n >= self.received) {
            assert_eq!(result, Ok(()), "{at:?} is new");
            if chain > self.chain {
                if self.chain > 0 && pn.saturating_sub(self.received) <= 25_000 {
                    self.skip(pn);
                }
                (self.chain, self.received) = (chain, 0);
            }
            self.skip(n);
            self.received = n + 1;
        } else if self.used.contains(&at) {
            assert!(matches!(result, Err(Code::ReusedIndex | Code::NoSession)), "{at:?} was used: {result:?}");
            return;
        } else {
            let known = self.skipped.iter().position(|(skipped, _)| *skipped == at);
            if chain + 6 <= self.chain {
                assert_eq!(result, Err(Code::NoSession), "{at:?} is of a chain that is gone");
            } else if let Some(place) = known {
                // A block of sixteen goes as one, with its oldest key.
                let is_kept = self.skipped.len() - place <= 1_984 && self.accepted - self.skipped[place].1 < 900;
                assert!(!is_kept || result == Ok(()), "{at:?} is kept: {result:?}");
                assert!(matches!(result, Ok(()) | Err(Code::MessageKeyExpired)), "{at:?} was skipped: {result:?}");
            } else {
                assert_eq!(result, Err(Code::MessageKeyExpired), "{at:?} was never made");
            }
            if result.is_err() {
                return;
            }
            self.skipped.remove(known.unwrap());
        }
        self.used.insert(at);
        self.accepted += 1;
    }
}

#[test]
fn n_l01_n_l02_any_order_any_loss_any_chain_is_what_the_rules_say() {
    let (mut opened, mut expired, mut too_far) = (0, 0, 0);
    for seed in 0..16 {
        let (alice, bob, mut rng) = pair(2_000 + seed);
        let mut sides = [alice, bob];
        let mut oracles = [Oracle::default(), Oracle::default()];
        let mut flying: [Vec<Flying>; 2] = [vec![], vec![]];
        for round in 0..240 {
            let me = if round == 0 { 0 } else { (rng.next_u32() & 1) as usize };
            match rng.next_u32() % 20 {
                0..=8 => {
                    if me == 1 && oracles[1].chain == 0 {
                        continue;
                    }
                    let lost = match rng.next_u32() % 160 {
                        0 => rng.next_u32() % 60_000,
                        1..=4 => rng.next_u32() % 2_500,
                        5..=20 => rng.next_u32() % 40,
                        _ => 0,
                    };
                    sides[me].lose(&mut rng, lost);
                    let text = rng.next_u64().to_be_bytes();
                    let sent = sides[me].send(&mut rng, &text);
                    let ratchet = &sides[me].ratchet;
                    let chain = ratchet.cold.chain + u32::from(me == 0);
                    let at = (chain, ratchet.hot.sent - 1);
                    flying[1 - me].push((sent, at, ratchet.cold.previous_length));
                }
                _ if !flying[me].is_empty() => {
                    let place = rng.next_u32() as usize % flying[me].len();
                    let again = rng.next_u32().is_multiple_of(8);
                    let (sent, at, pn) = if again { flying[me][place].clone() } else { flying[me].swap_remove(place) };
                    let result = sides[me].receive(&mut rng, &sent);
                    opened += usize::from(result.is_ok());
                    expired += usize::from(result == Err(Code::MessageKeyExpired));
                    too_far += usize::from(result == Err(Code::TooFarAhead));
                    oracles[me].judge(at, pn, result);
                }
                _ => {}
            }
            assert!(sides.iter().all(|side| side.stored() <= 2_000));
        }
    }
    println!("opened {opened}, expired {expired}, too far ahead {too_far}");
    assert!(opened > 1_000 && expired > 10 && too_far > 0);
}

#[test]
fn n_l01_a_peer_that_jumps_as_far_as_it_may_makes_no_store_grow() {
    // In one chain, and in a new chain with each message.
    for answers in [false, true] {
        let (mut alice, mut bob, mut rng) = pair(71);
        let (mut steps, mut most) = (0, (0, 0, 0));
        for round in 0..24_u32 {
            alice.lose(&mut rng, 25_000);
            let sent = alice.send(&mut rng, b"far");
            let position = Position::read(&bob.ratchet.cold, bob.index[&sent.tag], &sent.salt, &sent.header).unwrap();
            steps += bob.ratchet.jump(&position).unwrap();
            bob.receive(&mut rng, &sent).unwrap();
            let directory = bob.ratchet.directory.encode().unwrap().len();
            let blocks = bob.blocks.values().map(|block| block.encode().unwrap().len()).sum::<usize>();
            most = (most.0.max(bob.stored()), most.1.max(directory), most.2.max(blocks));
            assert!(bob.ratchet.directory.expired.len() <= 2 * round as usize + 2, "a jump is one run for each chain");
            if answers {
                alice.lose(&mut rng, 25_000);
                let answer = bob.send(&mut rng, b"answer");
                alice.receive(&mut rng, &answer).unwrap();
            }
        }
        println!(
            "answers {answers}: {steps} steps; at most {} keys, {} bytes of directory, {} of keys",
            most.0, most.1, most.2
        );
        assert!(steps <= 24 * 50_000 && most.0 <= 2_000 && most.1 < 8_192 && most.2 < 2_000 * 40);
    }
    // Losses that are too many to be remembered one by one: the oldest is forgotten.
    let (mut alice, mut bob, mut rng) = pair(72);
    let lost = alice.send(&mut rng, b"lost");
    for _ in 0..300 {
        alice.lose(&mut rng, 1_020);
        let sent = alice.send(&mut rng, b"far");
        bob.receive(&mut rng, &sent).unwrap();
    }
    let directory = bob.ratchet.directory.encode().unwrap().len();
    println!("300 losses in one chain: {directory} bytes of directory");
    assert!(directory < 8_192);
    assert_eq!(bob.receive(&mut rng, &lost), Err(Code::ReusedIndex));
}

#[test]
fn n_l01_a_header_that_claims_the_end_of_all_numbers_costs_no_step() {
    for (pn, n, code) in [
        (0, u32::MAX, Err(Code::TooFarAhead)),
        (u32::MAX, u32::MAX, Err(Code::TooFarAhead)),
        (u32::MAX, 25_001, Err(Code::TooFarAhead)),
        (u32::MAX, 3, Ok(3)),
        (25_002, 3, Ok(3)),
        (25_001, 3, Ok(25_003)),
        (0, 25_000, Ok(25_000)),
    ] {
        let (mut alice, mut bob, mut rng) = pair(73);
        let first = alice.send(&mut rng, b"first");
        bob.receive(&mut rng, &first).unwrap();
        let answer = bob.send(&mut rng, b"answer");
        alice.receive(&mut rng, &answer).unwrap();
        // The first message of the new chain says so; then Alice's own state says what her peer is to believe.
        alice.lose(&mut rng, 1);
        let cold = Cold { previous_length: pn, ..(*alice.ratchet.cold).clone() };
        alice.ratchet.cold = std::sync::Arc::new(cold);
        alice.ratchet.hot.sent = n.min(u32::MAX - 1);
        let far = alice.send(&mut rng, b"far");
        let position = Position::read(&bob.ratchet.cold, bob.index[&far.tag], &far.salt, &far.header).unwrap();
        assert_eq!(bob.ratchet.jump(&position), code, "pn {pn}, n {n}");
        let before = bob.bytes();
        assert!(bob.receive(&mut rng, &far).is_err(), "the key is of another number");
        assert_eq!(bob.bytes(), before);
    }
}
