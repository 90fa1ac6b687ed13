//! A peer: one device that takes commands over standard input (see `tests/story/README.md`, "Peers").

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sesame_core::{
    context::{Context, Timestamp},
    device::{Device, Requests},
    error::{Code, Error},
    event::{Event, Item, Server, ServerRequest},
    ids::{RequestId, UserId},
    secret::Secret,
};
use sesame_sqlite::SqliteStore;
use std::{io::BufRead, path::Path, sync::Arc};

/// A device, its requests, and its randomness.
struct Peer {
    device: Option<Device>,
    requests: Requests,
    rng: ChaCha20Rng,
}

/// Bytes in hexadecimal; `-` for none.
fn encode(bytes: &[u8]) -> String {
    if bytes.is_empty() { "-".to_owned() } else { hex::encode(bytes) }
}

fn decode(digits: &str) -> Vec<u8> {
    if digits == "-" { Vec::new() } else { hex::decode(digits).unwrap() }
}

fn key() -> Secret<32> {
    Secret::init_with(|key| key.fill(0x5a))
}

fn user(name: &str) -> UserId {
    UserId::try_new(name.as_bytes().to_vec()).unwrap()
}

fn name(user: &UserId) -> String {
    String::from_utf8(user.as_bytes().to_vec()).unwrap()
}

fn store(path: &str) -> Result<Arc<SqliteStore>, Error> {
    Ok(Arc::new(SqliteStore::open(Path::new(path))?))
}

#[allow(clippy::disallowed_methods)]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(u64::try_from(since.as_millis()).unwrap())
}

impl Peer {
    fn call<T>(
        &mut self,
        call: impl FnOnce(&Device, &mut Context<'_>, &mut Requests) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut context = Context { now: now(), rng: &mut self.rng };
        call(self.device.as_ref().ok_or(Code::Closed)?, &mut context, &mut self.requests)
    }

    fn take(&mut self, device: Device) -> Vec<String> {
        let id = device.id().0;
        (self.device, self.requests) = (Some(device), Requests::new());
        vec![id.to_string()]
    }

    fn answer(&mut self, verb: &str, words: &[&str]) -> Result<Vec<String>, Error> {
        match verb {
            "create" => {
                let server = Server::named(words[1])?;
                let mut context = Context { now: now(), rng: &mut self.rng };
                let device = Device::create(store(words[2])?, &key(), &mut context, &user(words[0]), &server)?;
                Ok(self.take(device))
            }
            "open" => Ok(self.take(Device::open(store(words[0])?, &key())?)),
            "close" => {
                self.device = None;
                Ok(Vec::new())
            }
            "encrypt" => {
                let users: Vec<UserId> = words[0].split(',').map(user).collect();
                let payload = decode(words[1]);
                self.call(|device, context, _| device.batch_encrypt(context, &users, &payload, None))?;
                Ok(Vec::new())
            }
            "next" => {
                let next = self.call(|device, context, requests| device.next_request(context, requests))?;
                Ok(next.map_or(Vec::new(), |request| request_words(&request)))
            }
            "respond" => {
                let id = RequestId(decode(words[0]).try_into().unwrap());
                let (status, body) = (words[1].parse().unwrap(), decode(words[2]));
                let answered =
                    self.call(|device, context, requests| device.respond(context, requests, &id, (status, &body)))?;
                Ok((answered.problem != 0).then(|| answered.problem.to_string()).into_iter().collect())
            }
            "mail" => {
                let limit = words[0].parse().unwrap();
                self.call(|_, _, requests| {
                    requests.request_mail(limit);
                    Ok(Vec::new())
                })
            }
            "inbox" => self.inbox(),
            _ => panic!("no such verb: {verb}"),
        }
    }

    fn inbox(&mut self) -> Result<Vec<String>, Error> {
        let rows = self.call(|device, context, _| device.inbox(context, 0, 1000))?;
        let ids: Vec<u64> = rows.iter().map(|row| row.id).collect();
        self.call(|device, context, _| device.ack(context, &ids))?;
        Ok(rows.iter().filter_map(|row| said(&row.item)).collect())
    }
}

fn request_words(request: &ServerRequest) -> Vec<String> {
    let auth = request.headers.iter().find(|header| header.name == "Sesame-Auth");
    let auth = auth.map_or("-".to_owned(), |header| header.value.clone());
    vec![encode(&request.id.0), request.path.clone(), auth, encode(&request.body)]
}

fn said(item: &Item) -> Option<String> {
    match item {
        Item::Message(message) => Some(format!("{}:{}", name(&message.user), encode(&message.payload))),
        Item::Event(Event::NotOpened { reason, .. }) => Some(format!("not-opened:{reason}")),
        Item::Event(Event::SendFinished { failed, .. }) => {
            failed.first().map(|failed| format!("failed:{}", failed.reason))
        }
        Item::Event(_) => None,
    }
}

fn main() {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    let mut peer = Peer { device: None, requests: Requests::new(), rng: ChaCha20Rng::from_seed(seed) };
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        match peer.answer(words[0], &words[1..]) {
            Ok(said) => println!("{}", [vec!["ok".to_owned()], said].concat().join(" ")),
            Err(error) => println!("error {}", error.code.number()),
        }
    }
}
