//! Plays the story of `tests/story/story.json` over the core itself; `tests/story/README.md` says what each step does and prints.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod events;
mod lines;
mod outside;
mod steps;
mod store;

use lines::{h, name, s};
use outside::Outside;
use serde_json::Value;
use sesame_core::{
    context::Context,
    device::Device,
    error::{Code, Error},
    event::{Answers, Applied, Event, Need, PendingSend, Received, Rejection},
    ids::{DeviceId, GroupId, UserId},
    secret::Secret,
    store::{MemoryStore, Store},
};
use sesame_relay::{PublishError, Refusal, Relay};
use sesame_sqlite::SqliteStore;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};
use store::AppStore;

const DAY: u64 = 24 * 60 * 60 * 1000;

fn key() -> Secret<32> {
    Secret::init_with(|key| key.fill(0x5a))
}

/// A device and its surroundings, as an app would keep them.
struct Host {
    relay: Rc<RefCell<Relay>>,
    store: Arc<dyn Store>,
    faults: Option<Arc<AppStore>>,
    device: Option<Device>,
    user: UserId,
    id: DeviceId,
}

/// What a scene has made so far.
struct Scene<'a> {
    number: usize,
    folder: &'a Path,
    outside: Outside,
    out: &'a mut Vec<String>,
    hosts: BTreeMap<String, Host>,
    relays: BTreeMap<String, Rc<RefCell<Relay>>>,
    groups: BTreeMap<String, GroupId>,
    mails: BTreeMap<String, Vec<Vec<u8>>>,
}

fn text<'s>(step: &'s Value, field: &str) -> &'s str {
    step[field].as_str().unwrap_or_default()
}

fn number(step: &Value, field: &str) -> u64 {
    step[field].as_u64().unwrap_or_default()
}

fn user(name: &str) -> Result<UserId, Error> {
    UserId::try_new(name.as_bytes().to_vec()).ok_or(Error::of(Code::InvalidArgument, "user"))
}

fn users(step: &Value, field: &str) -> Result<Vec<UserId>, Error> {
    step[field].as_array().unwrap().iter().map(|name| user(name.as_str().unwrap())).collect()
}

fn publish_error(error: PublishError) -> Error {
    Error::from(match error {
        PublishError::Malformed(code) => code,
        PublishError::NotListed => Code::NotListed,
        PublishError::NotASuccessor => Code::BrokenChain,
        PublishError::OtherAccount => Code::IdentityChanged,
    })
}

type Done = Result<(), Error>;

/// A store, and its handle if it is the app's own store.
type Kept = (Arc<dyn Store>, Option<Arc<AppStore>>);

impl Scene<'_> {
    fn say(&mut self, line: impl AsRef<str>) {
        self.out.push(format!("  {}", line.as_ref()));
    }

    fn say_all(&mut self, lines: Vec<String>) {
        if lines.is_empty() {
            self.say("nothing");
        }
        lines.iter().for_each(|line| self.say(line));
    }

    fn step(&mut self, step: &Value) {
        let (what, device) = (text(step, "do"), text(step, "device"));
        self.out.push(if device.is_empty() { format!("> {what}") } else { format!("> {what} {device}") });
        if let Err(error) = self.act(what, step) {
            self.say(format!("! {}", error.code.number()));
        }
    }

    /// Runs a call of a device.
    fn call<T>(
        &mut self,
        at: &str,
        call: impl FnOnce(&Device, &mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let device = self.hosts[at].device.as_ref().ok_or(Code::Closed)?;
        self.outside.with(|context| call(device, context))
    }

    fn print_send(&mut self, send: &PendingSend) {
        lines::send(send).iter().for_each(|line| self.say(line));
    }

    fn print_applied(&mut self, applied: &Applied) {
        applied.events.iter().for_each(|event| self.say(lines::event(event)));
        for refusal in &applied.refusals {
            self.say(format!("refused {} {} {}", refusal.field, refusal.item, refusal.code.number()));
        }
    }

    fn print_events(&mut self, events: &[Event]) {
        self.say_all(events.iter().map(lines::event).collect());
    }

    fn print_received(&mut self, results: &[Received]) {
        self.say_all(results.iter().map(lines::received).collect());
    }

    fn relay(&mut self, step: &Value) -> Rc<RefCell<Relay>> {
        self.relays
            .entry(text(step, "relay").to_owned())
            .or_insert_with(|| Rc::new(RefCell::new(Relay::new("relay.example"))))
            .clone()
    }

    fn store(&self, step: &Value) -> Result<Kept, Error> {
        Ok(match text(step, "store") {
            "sqlite" => {
                let path: PathBuf = self.folder.join(format!("{}-{}.db", self.number, text(step, "device")));
                (Arc::new(SqliteStore::open(&path).map_err(Error::from)?), None)
            }
            "app" => {
                let own = Arc::new(AppStore::new());
                (own.clone(), Some(own))
            }
            _ => (Arc::new(MemoryStore::new()), None),
        })
    }

    fn join(&mut self, step: &Value, host: Host) {
        self.say(format!("device {}", host.id.0));
        self.hosts.insert(text(step, "device").to_owned(), host);
    }

    fn publish(&mut self, at: &str) -> Done {
        while let Some(upload) = self.call(at, |device, context| device.publication(context, None))? {
            let host = &self.hosts[at];
            let stock = host.relay.borrow_mut().publish((&host.user, host.id), &upload.bytes).map_err(publish_error)?;
            self.say(format!("publishes {} {} left {}", upload.bytes.len(), h(&upload.bytes), stock.one_time));
            self.call(at, |device, context| device.published(context, &upload.id))?;
        }
        Ok(())
    }

    fn settle(&mut self, at: &str) -> Done {
        for _ in 0..8 {
            let mut progress = false;
            for send in self.call(at, |device, context| device.outbox(context))? {
                self.print_send(&send);
                progress |= self.round(at, &send)?;
            }
            if !progress {
                break;
            }
        }
        let left = self.call(at, |device, context| device.outbox(context))?.len();
        self.say(if left == 0 { "settled".to_owned() } else { format!("unsettled {left}") });
        Ok(())
    }

    /// Submits the batches of one send and answers its needs. Returns whether anything happened.
    fn round(&mut self, at: &str, send: &PendingSend) -> Result<bool, Error> {
        let mut progress = !send.batches.is_empty();
        let relay = self.hosts[at].relay.clone();
        for batch in &send.batches {
            let host = &self.hosts[at];
            let to = name(&batch.user);
            let answer = relay.borrow_mut().submit((&host.user, host.id), batch);
            match answer {
                Ok(()) => {
                    self.say(format!("{to} accepted"));
                    self.call(at, |device, context| device.accepted(context, &send.id, &batch.user))?;
                }
                Err(Refusal::Stale { device_list, missing, gone }) => {
                    let ids = |devices: &[DeviceId]| devices.iter().map(|device| device.0).collect::<Vec<_>>();
                    let lists = lines::named("missing", ids(&missing)) + &lines::named("gone", ids(&gone));
                    self.say(format!("{to} stale{lists}"));
                    let rejection = Rejection::Mismatch { device_list };
                    self.call(at, |device, context| device.rejected(context, &send.id, &batch.user, &rejection))?;
                }
                Err(Refusal::NoSuchUser) => {
                    self.say(format!("{to} unknown"));
                    let rejection = Rejection::NoSuchUser;
                    self.call(at, |device, context| device.rejected(context, &send.id, &batch.user, &rejection))?;
                }
                Err(Refusal::NotListed) => return Err(Code::NotListed.into()),
                Err(Refusal::Malformed) => return Err(Code::InvalidArgument.into()),
            }
        }
        if send.needs.contains(&Need::Publication) {
            self.publish(at)?;
            progress = true;
        }
        let answers = relay.borrow_mut().answer(&send.needs);
        if answers != Answers::default() {
            let applied = self.call(at, |device, context| device.apply(context, &answers))?;
            self.print_applied(&applied);
            progress = true;
        }
        Ok(progress)
    }

    fn begin(&mut self, at: &str, send: &PendingSend) -> Done {
        self.print_send(send);
        self.settle(at)
    }

    fn take(&mut self, at: &str, results: &[Received]) -> Done {
        self.print_received(results);
        let ids: Vec<u64> = results
            .iter()
            .filter_map(|result| if let Received::Item { id, .. } = result { Some(*id) } else { None })
            .collect();
        self.call(at, |device, context| device.ack(context, &ids))
    }

    fn decrypt(&mut self, at: &str, envelopes: &[Vec<u8>]) -> Result<Vec<Received>, Error> {
        self.call(at, |device, context| device.batch_decrypt(context, envelopes))
    }

    fn new_group(&mut self, step: &Value, at: &str, id: GroupId, send: &PendingSend) -> Done {
        self.groups.insert(text(step, "as").to_owned(), id);
        self.say(format!("group {}", s(&id.0)));
        self.begin(at, send)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [script, folder] = arguments.as_slice() else { panic!("story SCRIPT FOLDER") };
    let script: Value = serde_json::from_str(&std::fs::read_to_string(script).unwrap()).unwrap();
    let mut out = Vec::new();
    for (index, scene) in script["scenes"].as_array().unwrap().iter().enumerate() {
        let seed = number(&script, "seed") + u64::try_from(index).unwrap();
        out.push(format!("# scene {}", text(scene, "name")));
        let mut told = Scene {
            number: index,
            folder: Path::new(folder),
            outside: Outside::new(seed, number(&script, "now")),
            out: &mut out,
            hosts: BTreeMap::new(),
            relays: BTreeMap::new(),
            groups: BTreeMap::new(),
            mails: BTreeMap::new(),
        };
        scene["steps"].as_array().unwrap().iter().for_each(|step| told.step(step));
    }
    println!("{}", out.join("\n"));
}
