//! Plays the story of `tests/story/story.json` over the core itself; `tests/story/README.md` says what each step does and prints.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod devices;
mod events;
mod exchange;
mod groups;
mod lines;
mod mail;
mod outside;
mod registry;
mod relay;
mod sends;
mod store;

use exchange::Path;
use outside::Outside;
use serde_json::Value;
use sesame_core::{
    context::Context,
    device::{Device, Requests},
    error::{Code, Error},
    event::PendingSend,
    ids::{DeviceId, GroupId, HandoverId, UserId},
    secret::Secret,
    store::{MemoryStore, Store},
};
use sesame_relay::Relay;
use sesame_sqlite::SqliteStore;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path as FilePath, PathBuf},
    rc::Rc,
    sync::Arc,
};
use store::AppStore;

/// The name of every server of the story.
const SERVER: &str = "relay.example";

fn key() -> Secret<32> {
    Secret::init_with(|key| key.fill(0x5a))
}

/// A server of the story.
type Shared = Rc<RefCell<Relay>>;

/// A device and its surroundings, as an app would keep them.
struct Host {
    path: Path,
    store: Arc<dyn Store>,
    faults: Option<Arc<AppStore>>,
    device: Option<Device>,
    requests: Requests,
    user: UserId,
    id: DeviceId,
    /// The last send that a step has printed.
    last: Option<PendingSend>,
}

impl Host {
    fn new(relay: Shared, (store, faults): Kept, device: Device) -> Self {
        let (user, id) = (device.user().clone(), device.id());
        let (path, requests) = (Path::to(relay), Requests::new());
        Self { path, store, faults, device: Some(device), requests, user, id, last: None }
    }
}

/// What a scene has made so far.
struct Scene<'a> {
    number: usize,
    folder: &'a FilePath,
    outside: Outside,
    out: &'a mut Vec<String>,
    hosts: BTreeMap<String, Host>,
    relays: BTreeMap<String, Shared>,
    groups: BTreeMap<String, GroupId>,
    mails: BTreeMap<String, Vec<Vec<u8>>>,
    /// The last hand-over that was begun.
    handover: HandoverId,
}

fn text<'s>(step: &'s Value, field: &str) -> &'s str {
    step[field].as_str().unwrap_or_default()
}

fn number(step: &Value, field: &str) -> u64 {
    step[field].as_u64().unwrap_or_default()
}

fn device_id(step: &Value) -> DeviceId {
    DeviceId(u32::try_from(number(step, "number")).unwrap())
}

fn user(name: &str) -> Result<UserId, Error> {
    UserId::try_new(name.as_bytes().to_vec()).ok_or(Error::of(Code::InvalidArgument, "user"))
}

fn users(step: &Value, field: &str) -> Result<Vec<UserId>, Error> {
    step[field].as_array().into_iter().flatten().map(|name| user(name.as_str().unwrap())).collect()
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

    /// What a call came to, where a step goes on after a failure.
    fn say_outcome<T>(&mut self, outcome: &Result<T, Error>) {
        match outcome {
            Ok(_) => self.say("ok"),
            Err(error) => self.say(format!("! {}", error.code.number())),
        }
    }

    fn step(&mut self, step: &Value) {
        let (what, device) = (text(step, "do"), text(step, "device"));
        self.out.push(if device.is_empty() { format!("> {what}") } else { format!("> {what} {device}") });
        if let Err(error) = self.act(what, step) {
            self.say(format!("! {}", error.code.number()));
        }
    }

    fn act(&mut self, what: &str, step: &Value) -> Done {
        let at = text(step, "device");
        match what {
            "create" | "link" | "link_wrong" | "reopen" | "close" | "adopt_own_list" | "hand_over"
            | "confirm_handover" | "cancel_handover" | "remove_device" | "keep_sent" | "set_push" | "log_out"
            | "delete_account" | "primary" | "erase" | "fail" | "spoil" | "open_wrong_key" | "create_over"
            | "open_empty" => self.act_on_devices(what, step, at),
            "exchange" | "request_mail" | "answer_twice" | "foreign" | "trouble" | "replay" | "retry_now" | "move"
            | "health" => self.act_on_the_loop(what, step, at),
            "read" | "peek" | "inbox" | "steal" | "deliver" | "deliver_spoilt" | "decrypt_many" => {
                self.act_on_mail(what, step, at)
            }
            "group" | "fork" | "add" | "rename" | "leave" | "accept" | "decline" | "say" | "forget_group" | "view"
            | "groups" | "history" | "cost" | "group_session" => self.act_on_groups(what, step, at),
            "users" | "devices" | "session" | "safety" | "compare" | "verify" | "resolve_fork" | "forget"
            | "accept_identity" | "look_up" => self.act_on_the_registry(what, step, at),
            "encrypt" | "send" | "encrypt_long" | "encrypt_crowd" | "session_send" | "session_reset" | "batches"
            | "status" | "cancel" | "retry" => self.act_on_sends(what, step, at),
            "advance" => {
                let seconds = number(step, "days") * 24 * 60 * 60 + number(step, "seconds");
                self.outside.advance(seconds * 1000);
                Ok(())
            }
            "restored" => {
                self.relay(step).borrow_mut().restored();
                Ok(())
            }
            "seen" => {
                self.seen(step);
                Ok(())
            }
            _ => panic!("no such step: {what}"),
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

    /// Runs a call that has to do with requests.
    fn call_with<T>(
        &mut self,
        at: &str,
        call: impl FnOnce(&Device, &mut Context<'_>, &mut Requests) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Host { device, requests, .. } = self.hosts.get_mut(at).unwrap();
        let device = device.as_ref().ok_or(Code::Closed)?;
        self.outside.with(|context| call(device, context, requests))
    }

    fn host(&mut self, at: &str) -> &mut Host {
        self.hosts.get_mut(at).unwrap()
    }

    fn relay(&mut self, step: &Value) -> Shared {
        let new = || Rc::new(RefCell::new(Relay::new(SERVER)));
        self.relays.entry(text(step, "relay").to_owned()).or_insert_with(new).clone()
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
            folder: FilePath::new(folder),
            outside: Outside::new(seed, number(&script, "now")),
            out: &mut out,
            hosts: BTreeMap::new(),
            relays: BTreeMap::new(),
            groups: BTreeMap::new(),
            mails: BTreeMap::new(),
            handover: HandoverId([0; 16]),
        };
        scene["steps"].as_array().unwrap().iter().for_each(|step| told.step(step));
    }
    println!("{}", out.join("\n"));
}
