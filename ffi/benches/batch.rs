//! What a message costs in Rust, by the size of its batch: `cargo xtask bench` runs this beside the same program in each other language.
//!
//! `encrypt` is a send to so many users to its end, `decrypt` a mailbox of so many messages, both through the loop and without the relay;
//! `inbox` reads what they said, the sender and the payload of each; `envelopes` is `batch_decrypt` of so many envelopes with a look at each
//! result; `ack` ends so many items. Prints a line each: what, how many items, microseconds of this thread an item (the median of the rounds).

// Here the clock is what is asked for.
#![allow(clippy::disallowed_methods, clippy::indexing_slicing, clippy::unwrap_used, missing_docs)]

use rustix::time::{ClockId, clock_gettime};
use sesame::{Client, Clock, Host, InboxItem, Item, MailOutcome, RequestKind, Server, Store, Timestamp, UserId};
use sesame_ffi::host::{memory_store, sqlite_store, store_key, user_id};
use sesame_relay::{Relay, Request};
use std::{sync::Arc, time::Duration};

const PEERS: usize = 250;
const SENDS: [usize; 3] = [1, 100, PEERS];
/// The last one only in memory.
const MAILS: [usize; 3] = [1, 100, 1000];
const TEXT: &[u8] =
    b"a message of about a hundred bytes, as people write them all day long, in the group or to each other";

fn rounds(items: usize) -> usize {
    match items {
        1 => 60,
        100 => 11,
        _ => 5,
    }
}

/// The processor time of this thread.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

/// What a call gives, and how long it took.
fn timed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    let begun = now();
    let given = call();
    (given, now() - begun)
}

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
        let (request, asked) = timed(|| client.next_request().unwrap());
        ours += asked;
        let Some(request) = request else { return ours };
        let answer = relay.perform(Timestamp(Clock::system().now()), &Request::of(&request));
        assert_eq!(answer.status, 200, "{request:?}");
        let (_, answered) = timed(|| client.respond(&request.id, answer.status, &answer.body).unwrap());
        // What follows from mail, its confirmation, is not what is measured.
        if request.kind != RequestKind::Confirm {
            ours += answered;
        }
    }
}

/// One send to its end.
fn send(client: &Client, relay: &mut Relay, to: &[UserId]) -> Duration {
    let (_, encrypted) = timed(|| client.batch_encrypt(to, TEXT, None).unwrap());
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

/// Reads the inbox as an app does: the ids, and the bytes of the senders' names and of the payloads.
fn look(client: &Client) -> (Vec<u64>, usize) {
    let (mut ids, mut bytes) = (Vec::new(), 0);
    for InboxItem { id, item } in client.inbox(0, usize::MAX).unwrap() {
        ids.push(id);
        if let Item::Message(message) = item {
            bytes += message.user.as_bytes().len() + message.payload.len();
        }
    }
    (ids, bytes)
}

/// How many of these envelopes were opened.
fn open(client: &Client, envelopes: &[Vec<u8>]) -> usize {
    let results = client.batch_decrypt(envelopes, false).unwrap();
    results.iter().filter(|result| matches!(result.outcome, MailOutcome::Opened)).count()
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
    for items in SENDS {
        let mut times = Vec::new();
        for _ in 0..rounds(items) {
            times.push(send(writer, relay, &users[..items]));
            assert_eq!(ack(writer), 1, "its end");
        }
        print(&format!("encrypt{kind}"), items, times);
    }
    let sizes = if kind.is_empty() { MAILS.len() } else { MAILS.len() - 1 };
    for items in MAILS.into_iter().take(sizes) {
        let [mut loops, mut looks, mut opens, mut acks] = [const { Vec::new() }; 4];
        for _ in 0..rounds(items) {
            write(writer, relay, reader, items);
            loops.push(read(reader, relay));
            let ((ids, bytes), took) = timed(|| look(reader));
            assert_eq!(bytes, items * (writer.user().as_bytes().len() + TEXT.len()));
            looks.push(took);
            acks.push(timed(|| reader.ack(&ids).unwrap()).1);
            write(writer, relay, reader, items);
            let mails = relay.fetch((reader.user(), reader.id()), usize::MAX);
            let envelopes: Vec<Vec<u8>> = mails.into_iter().map(|mail| mail.envelope).collect();
            let (opened, took) = timed(|| open(reader, &envelopes));
            assert_eq!(opened, items);
            opens.push(took);
            relay.lose((reader.user(), reader.id()));
            exchange(reader, relay);
            assert_eq!(ack(reader), items);
        }
        for (what, times) in [("decrypt", loops), ("inbox", looks), ("envelopes", opens), ("ack", acks)] {
            print(&format!("{what}{kind}"), items, times);
        }
    }
}

/// Puts so many messages into the reader's mailbox.
fn write(writer: &Client, relay: &mut Relay, reader: &Client, items: usize) {
    for _ in 0..items {
        send(writer, relay, std::slice::from_ref(reader.user()));
    }
    ack(writer);
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
