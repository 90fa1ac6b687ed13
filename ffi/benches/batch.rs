//! What a message costs in Rust, by the size of its batch: `cargo xtask bench` runs this beside the same program in C (`tests/c/batch.c`).
//!
//! Prints a line each: what, how many items in one call, microseconds an item (the median of the rounds).

// Here the clock is what is asked for.
#![allow(clippy::disallowed_methods, clippy::indexing_slicing, clippy::unwrap_used, missing_docs)]

use sesame::Client;
use sesame_core::{
    event::{PendingSend, Recipients},
    ids::{DeviceId, UserId},
    store::Store,
};
use sesame_ffi::host::{memory_store, sqlite_store, store_key, user_id};
use sesame_relay::Relay;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const PEERS: usize = 1_000;
const SIZES: [usize; 3] = [1, 100, 1_000];
const ROUNDS: usize = 7;
const TEXT: &[u8] =
    b"a message of about a hundred bytes, as people write them all day long, in the group or to each other";

struct Host {
    client: Client,
    user: UserId,
}

impl Host {
    fn new(name: &str, store: Arc<dyn Store>, relay: &mut Relay) -> Self {
        let user = user_id(name).unwrap();
        let client = Client::create(store, store_key(vec![1; 32]).unwrap(), &user).unwrap();
        while let Some(upload) = client.call(|d, c| d.publication(c, None)).unwrap() {
            relay.publish((&user, DeviceId(1)), &upload.bytes).unwrap();
            client.call(|d, c| d.published(c, &upload.id)).unwrap();
        }
        Self { client, user }
    }

    fn encrypt(&self, to: &[UserId]) -> PendingSend {
        self.client.call(|d, c| d.batch_encrypt(c, Recipients::Users(to), TEXT, None)).unwrap()
    }

    fn settle(&self, relay: &mut Relay, send: PendingSend) {
        let mut view = Some(send);
        while let Some(send) = view {
            for batch in &send.batches {
                relay.submit((&self.user, DeviceId(1)), batch).unwrap();
                self.client.call(|d, c| d.accepted(c, &send.id, &batch.user)).unwrap();
            }
            let answers = relay.answer(&send.needs);
            self.client.call(|d, c| d.apply(c, &answers)).unwrap();
            view = self.client.call(|d, c| d.pending(c, &send.id)).unwrap();
        }
    }

    /// Opens all that waits, and acks it.
    fn read(&self, relay: &mut Relay) {
        let mails = relay.fetch((&self.user, DeviceId(1)), PEERS);
        relay.confirm((&self.user, DeviceId(1)), &mails.iter().map(|mail| mail.id).collect::<Vec<_>>());
        let envelopes: Vec<Vec<u8>> = mails.into_iter().map(|mail| mail.envelope).collect();
        self.client.call(|d, c| d.batch_decrypt(c, &envelopes)).unwrap();
        let ids: Vec<u64> = self.client.call(|d, c| d.inbox(c)).unwrap().iter().map(|item| item.id).collect();
        self.client.call(|d, c| d.ack(c, &ids)).unwrap();
    }

    /// Begins sessions, and has them answered: what is measured is what most messages are.
    fn meet(&self, relay: &mut Relay, peers: &[&Self]) {
        let users: Vec<UserId> = peers.iter().map(|peer| peer.user.clone()).collect();
        let first = self.encrypt(&users);
        self.settle(relay, first);
        for peer in peers {
            peer.read(relay);
            let answer = peer.encrypt(std::slice::from_ref(&self.user));
            peer.settle(relay, answer);
        }
        self.read(relay);
    }
}

fn print(what: &str, items: usize, mut times: Vec<Duration>) {
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("{what} {items} {:.3}", median.as_secs_f64() * 1e6 / items as f64);
}

/// What batches of each size cost a writer and a reader; `kind` says what both live in.
fn measure(kind: &str, relay: &mut Relay, writer: &Host, reader: &Host, users: &[UserId]) {
    for items in SIZES {
        let mut times = Vec::new();
        for _ in 0..ROUNDS * if items == 1 { 20 } else { 1 } {
            let begun = Instant::now();
            let send = writer.encrypt(&users[..items]);
            times.push(begun.elapsed());
            // Our own user has a batch as well, of no device but this one.
            assert_eq!(send.batches.len(), items + 1);
            writer.settle(relay, send);
        }
        print(&format!("encrypt{kind}"), items, times);
    }
    for items in SIZES {
        let mut times = Vec::new();
        for _ in 0..ROUNDS * if items == 1 { 20 } else { 1 } {
            for _ in 0..items {
                let send = writer.encrypt(std::slice::from_ref(&reader.user));
                writer.settle(relay, send);
            }
            let mails = relay.fetch((&reader.user, DeviceId(1)), items);
            relay.confirm((&reader.user, DeviceId(1)), &mails.iter().map(|mail| mail.id).collect::<Vec<_>>());
            let envelopes: Vec<Vec<u8>> = mails.into_iter().map(|mail| mail.envelope).collect();
            let begun = Instant::now();
            let results = reader.client.call(|d, c| d.batch_decrypt(c, &envelopes)).unwrap();
            times.push(begun.elapsed());
            assert!(results.len() >= items);
            let ids: Vec<u64> = reader.client.call(|d, c| d.inbox(c)).unwrap().iter().map(|item| item.id).collect();
            reader.client.call(|d, c| d.ack(c, &ids)).unwrap();
        }
        print(&format!("decrypt{kind}"), items, times);
    }
}

fn main() {
    let folder = std::env::temp_dir().join(format!("sesame-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut relay = Relay::new("relay.example");
    let peers: Vec<Host> = (0..PEERS).map(|n| Host::new(&format!("peer-{n}"), memory_store(), &mut relay)).collect();
    let users: Vec<UserId> = peers.iter().map(|peer| peer.user.clone()).collect();
    for kind in ["", "-sqlite"] {
        let store = |name: &str| match kind {
            "" => memory_store(),
            _ => sqlite_store(&folder.join(name).to_string_lossy()).unwrap(),
        };
        let writer = Host::new(&format!("writer{kind}"), store("writer"), &mut relay);
        let reader = Host::new(&format!("reader{kind}"), store("reader"), &mut relay);
        writer.meet(&mut relay, &peers.iter().collect::<Vec<_>>());
        writer.meet(&mut relay, &[&reader]);
        measure(kind, &mut relay, &writer, &reader, &users);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
