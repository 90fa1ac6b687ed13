//! A peer: one device that takes commands over standard input (see `tests/story/README.md`, "Peers").

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use hex::encode;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sesame_core::{
    context::{Context, Timestamp},
    device::Device,
    error::{Code, Error},
    event::{Answers, Item, Need, PendingSend, Received},
    ids::{SendId, UserId},
    secret::Secret,
};
use sesame_sqlite::SqliteStore;
use std::{io::BufRead, path::Path, sync::Arc};

/// A device, its clock and its randomness.
struct Peer {
    device: Option<Device>,
    rng: ChaCha20Rng,
}

fn decode(digits: &str) -> Vec<u8> {
    hex::decode(digits).unwrap()
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
    fn call<T>(&mut self, call: impl FnOnce(&Device, &mut Context<'_>) -> Result<T, Error>) -> Result<T, Error> {
        call(self.device.as_ref().ok_or(Code::Closed)?, &mut Context { now: now(), rng: &mut self.rng })
    }

    fn create(&mut self, name: &str, path: &str) -> Result<(), Error> {
        let mut context = Context { now: now(), rng: &mut self.rng };
        self.device = Some(Device::create(store(path)?, &key(), &mut context, &user(name))?);
        Ok(())
    }

    fn answer(&mut self, verb: &str, words: &[&str]) -> Result<Vec<String>, Error> {
        let id = |peer: &Self| vec![peer.device.as_ref().unwrap().id().0.to_string()];
        let none = |()| Vec::new();
        match verb {
            "create" => self.create(words[0], words[1]).map(|()| id(self)),
            "open" => {
                self.device = Some(Device::open(store(words[0])?, &key())?);
                Ok(id(self))
            }
            "close" => {
                self.device = None;
                Ok(Vec::new())
            }
            "publication" => {
                let upload = self.call(|device, context| device.publication(context, None))?;
                Ok(upload.map_or(Vec::new(), |upload| vec![encode(upload.id.0), encode(&upload.bytes)]))
            }
            "published" => {
                let id = sesame_core::ids::PublicationId(decode(words[0]).try_into().unwrap());
                self.call(|device, context| device.published(context, &id)).map(none)
            }
            "encrypt" => {
                let users: Vec<UserId> = words[0].split(',').map(user).collect();
                let payload = decode(words[1]);
                self.call(|device, context| device.batch_encrypt(context, users.as_slice(), &payload, None))?;
                Ok(Vec::new())
            }
            "outbox" => {
                let sends = self.call(|device, context| device.outbox(context))?;
                Ok(sends.iter().flat_map(waiting).collect())
            }
            "accepted" => {
                let (send, to) = (SendId(decode(words[0]).try_into().unwrap()), user(words[1]));
                self.call(|device, context| device.accepted(context, &send, &to)).map(none)
            }
            "apply" => {
                let of = |kind: &str| words.iter().filter_map(|word| word.strip_prefix(kind).map(decode)).collect();
                let answers = Answers { device_lists: of("list:"), bundles: of("bundle:"), ..Answers::default() };
                let applied = self.call(|device, context| device.apply(context, &answers))?;
                Ok(applied.refusals.iter().map(|refusal| refusal.code.number().to_string()).collect())
            }
            "decrypt" => self.decrypt(&words.iter().map(|word| decode(word)).collect::<Vec<_>>()),
            _ => panic!("no such verb: {verb}"),
        }
    }

    fn decrypt(&mut self, envelopes: &[Vec<u8>]) -> Result<Vec<String>, Error> {
        let (mut said, mut ids) = (Vec::new(), Vec::new());
        for result in self.call(|device, context| device.batch_decrypt(context, envelopes))? {
            match result {
                Received::Item { id, item, .. } => {
                    if let Item::Message(message) = item {
                        said.push(format!("{}:{}", name(&message.user), encode(&message.payload)));
                    }
                    ids.push(id);
                }
                Received::Failure { code, .. } => said.push(format!("failure:{}", code.number())),
                Received::Duplicate { .. } => said.push("duplicate".to_owned()),
                Received::Held { .. } => said.push("held".to_owned()),
            }
        }
        self.call(|device, context| device.ack(context, &ids))?;
        Ok(said)
    }
}

fn waiting(send: &PendingSend) -> Vec<String> {
    let batches = send.batches.iter().map(|batch| {
        assert!(batch.skips.is_empty() && !batch.targeted);
        let envelopes = batch.envelopes.iter().map(|out| format!("{}={}", out.device.0, encode(&out.envelope)));
        let envelopes = envelopes.collect::<Vec<_>>().join(",");
        format!("batch:{}:{}:{envelopes}", encode(send.id.0), name(&batch.user))
    });
    let needs = send.needs.iter().map(|need| match need {
        Need::DeviceList(user) => format!("list:{}", name(user)),
        Need::Bundle(user, device) => format!("bundle:{}:{}", name(user), device.0),
        _ => panic!("no peer needs {need:?}"),
    });
    batches.chain(needs).collect()
}

fn main() {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    let mut peer = Peer { device: None, rng: ChaCha20Rng::from_seed(seed) };
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        match peer.answer(words[0], &words[1..]) {
            Ok(said) => println!("{}", [vec!["ok".to_owned()], said].concat().join(" ")),
            Err(error) => println!("error {}", error.code.number()),
        }
    }
}
