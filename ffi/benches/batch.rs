//! What a message costs in Rust, by the size of its batch: `cargo xtask bench` runs this beside the same program in C (`tests/c/batch.c`).
//!
//! `encrypt` is a send to so many users to its end, `decrypt` a mailbox of so many messages, both as the library's own time, without the
//! relay. Prints a line each: what, how many items, microseconds an item (the median of the rounds).

// Here the clock is what is asked for.
#![allow(clippy::disallowed_methods, clippy::indexing_slicing, clippy::unwrap_used, missing_docs)]

use sesame::{Client, Clock, Host, RequestKind, Server, Store, Timestamp, UserId};
use sesame_ffi::host::{memory_store, sqlite_store, store_key, user_id};
use sesame_relay::{Relay, Request};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const PEERS: usize = 250;
const SIZES: [usize; 3] = [1, 100, 250];
const ROUNDS: usize = 7;
const TEXT: &[u8] =
    b"a message of about a hundred bytes, as people write them all day long, in the group or to each other";

fn client(name: &str, store: Arc<dyn Store>, relay: &mut Relay) -> Client {
    let host = Host::new(store, store_key(vec![1; 32]).unwrap());
    let client = Client::create(host, &user_id(name).unwrap(), &Server::named("relay.example").unwrap()).unwrap();
    exchange(&client, relay);
    client
}

/// Runs the loop; gives what the library itself took, without the relay.
fn exchange(client: &Client, relay: &mut Relay) -> Duration {
    let mut ours = Duration::ZERO;
    loop {
        let begun = Instant::now();
        let request = client.next_request().unwrap();
        ours += begun.elapsed();
        let Some(request) = request else { return ours };
        let answer = relay.perform(Timestamp(Clock::system().now()), &Request::of(&request));
        assert_eq!(answer.status, 200, "{request:?}");
        let begun = Instant::now();
        client.respond(&request.id, answer.status, &answer.body).unwrap();
        // What follows from mail, its confirmation, is not what is measured.
        if request.kind != RequestKind::Confirm {
            ours += begun.elapsed();
        }
    }
}

/// One send to its end.
fn send(client: &Client, relay: &mut Relay, to: &[UserId]) -> Duration {
    let begun = Instant::now();
    client.batch_encrypt(to, TEXT, None).unwrap();
    let encrypted = begun.elapsed();
    encrypted + exchange(client, relay)
}

fn ack(client: &Client) -> usize {
    let ids: Vec<u64> = client.inbox(0, usize::MAX).unwrap().iter().map(|row| row.id).collect();
    client.ack(&ids).unwrap();
    ids.len()
}

/// Opens all that waits.
fn read(client: &Client, relay: &mut Relay) -> Duration {
    client.request_mail(10_000).unwrap();
    exchange(client, relay)
}

/// Begins sessions, and has them answered: what is measured is what most messages are.
fn meet(client: &Client, relay: &mut Relay, peers: &[&Client]) {
    let users: Vec<UserId> = peers.iter().map(|peer| peer.user().clone()).collect();
    send(client, relay, &users);
    for peer in peers {
        read(peer, relay);
        send(peer, relay, std::slice::from_ref(client.user()));
        ack(peer);
    }
    read(client, relay);
    ack(client);
}

fn print(what: &str, items: usize, mut times: Vec<Duration>) {
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("{what} {items} {:.3}", median.as_secs_f64() * 1e6 / items as f64);
}

/// What batches of each size cost a writer and a reader; `kind` says what both live in.
fn measure(kind: &str, relay: &mut Relay, writer: &Client, reader: &Client, users: &[UserId]) {
    for items in SIZES {
        let mut times = Vec::new();
        for _ in 0..ROUNDS * if items == 1 { 20 } else { 1 } {
            times.push(send(writer, relay, &users[..items]));
            assert_eq!(ack(writer), 1, "its end");
        }
        print(&format!("encrypt{kind}"), items, times);
    }
    for items in SIZES {
        let mut times = Vec::new();
        for _ in 0..ROUNDS * if items == 1 { 20 } else { 1 } {
            for _ in 0..items {
                send(writer, relay, std::slice::from_ref(reader.user()));
            }
            ack(writer);
            times.push(read(reader, relay));
            assert_eq!(ack(reader), items);
        }
        print(&format!("decrypt{kind}"), items, times);
    }
}

fn main() {
    let folder = std::env::temp_dir().join(format!("sesame-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut relay = Relay::new("relay.example");
    let peers: Vec<Client> = (0..PEERS).map(|n| client(&format!("peer-{n}"), memory_store(), &mut relay)).collect();
    let users: Vec<UserId> = peers.iter().map(|peer| peer.user().clone()).collect();
    for kind in ["", "-sqlite"] {
        let store = |name: &str| match kind {
            "" => memory_store(),
            _ => sqlite_store(&folder.join(name).to_string_lossy()).unwrap(),
        };
        let writer = client(&format!("writer{kind}"), store("writer"), &mut relay);
        let reader = client(&format!("reader{kind}"), store("reader"), &mut relay);
        meet(&writer, &mut relay, &peers.iter().collect::<Vec<_>>());
        meet(&writer, &mut relay, &[&reader]);
        measure(kind, &mut relay, &writer, &reader, &users);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
