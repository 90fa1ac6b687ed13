//! The steps of a script, as `tests/story/README.md` lists them.

use super::{DAY, Done, Host, Scene, key, lines, number, text, user, users};
use crate::lines::{h, name, s};
use serde_json::Value;
use sesame_core::{
    device::Device,
    error::Error,
    event::{Answers, DeviceState, GroupChange, LinkLeg, Need, NextStep, Received, UserView},
    ids::{DeviceId, GroupKind},
    secret::Secret,
    store::MemoryStore,
};
use sesame_relay::Seen;
use std::sync::Arc;

/// What a primary says to a new device.
struct Joined {
    hello: Vec<u8>,
    answer: Vec<u8>,
}

impl Scene<'_> {
    /// Runs a step.
    pub(super) fn act(&mut self, what: &str, step: &Value) -> Done {
        let at = text(step, "device");
        match what {
            "create" | "link" | "link_wrong" | "publish" | "reopen" | "close" | "remove_device" => {
                self.act_on_devices(what, step, at)
            }
            "read" | "peek" | "steal" | "deliver" | "deliver_spoilt" | "decrypt_many" | "inbox" => {
                self.act_on_mail(what, step, at)
            }
            "group" | "fork" | "add" | "rename" | "leave" | "accept" | "decline" | "say" | "view" | "groups"
            | "history" | "cost" | "group_session" => self.act_on_groups(what, step, at),
            "users" | "devices" | "session" | "safety" | "verify" | "resolve_fork" | "accept_identity" | "meet"
            | "apply_garbage" => self.act_on_the_registry(what, step, at),
            "encrypt" | "send" | "encrypt_long" | "session_send" | "settle" | "outbox" | "abandon" => {
                self.act_on_sends(what, step, at)
            }
            "tick" => {
                let events = self.call(at, |device, context| device.tick(context, false))?;
                self.print_events(&events);
                Ok(())
            }
            "advance" => {
                self.outside.advance(number(step, "days") * DAY);
                Ok(())
            }
            "fail" => {
                let faults = self.hosts[at].faults.clone().unwrap();
                let of = if text(step, "method") == "load" { &faults.load } else { &faults.commit };
                *of.lock().unwrap() = number(step, "with");
                Ok(())
            }
            "open_wrong_key" => {
                let key = Secret::init_with(|key| key.fill(0x5b));
                Device::open(self.hosts[at].store.clone(), &key).map(drop)
            }
            "create_over" => {
                let (store, user) = (self.hosts[at].store.clone(), self.hosts[at].user.clone());
                self.outside.with(|context| Device::create(store, &key(), context, &user)).map(drop)
            }
            "open_empty" => Device::open(Arc::new(MemoryStore::new()), &key()).map(drop),
            "spoil" => {
                self.hosts[at].faults.clone().unwrap().spoil();
                Ok(())
            }
            "seen" => {
                self.seen(step);
                Ok(())
            }
            _ => panic!("no such step: {what}"),
        }
    }

    /// Both legs at once, as the faces of the other languages give them.
    fn link(&mut self, primary: &str, code: &str) -> Result<Joined, Error> {
        let id = self.call(primary, |device, context| device.link_device(context, code))?.id;
        let hello = self.call(primary, |device, context| device.link_leg(context, &id, LinkLeg::Hello))?.unwrap();
        self.call(primary, |device, context| device.confirm_link(context, &id))?;
        let answer = self.call(primary, |device, context| device.link_leg(context, &id, LinkLeg::Answer))?.unwrap();
        Ok(Joined { hello, answer })
    }

    fn act_on_devices(&mut self, what: &str, step: &Value, at: &str) -> Done {
        match what {
            "create" => {
                let relay = self.relay(step);
                let (store, faults) = self.store(step)?;
                let user = user(text(step, "user"))?;
                let device = self.outside.with(|context| Device::create(store.clone(), &key(), context, &user))?;
                let id = device.id();
                self.join(step, Host { relay, store, faults, device: Some(device), user, id });
                self.publish(at)
            }
            "link" => {
                let primary = text(step, "primary");
                let (store, faults) = self.store(step)?;
                let linking =
                    self.outside.with(|context| Device::begin_link(store.clone(), &key(), context, &server()))?;
                let code = linking.code().to_owned();
                self.say(format!("code {}", h(code.as_bytes())));
                let Joined { hello, answer } = self.link(primary, &code)?;
                let joined = [u32::try_from(hello.len()).unwrap().to_be_bytes().as_slice(), &hello, &answer].concat();
                self.say(format!("answer {} {}", joined.len(), h(&joined)));
                self.outside.with(|context| linking.hear_hello(context, &hello))?;
                self.outside.with(|context| linking.confirm(context))?;
                let device = self.outside.with(|context| linking.complete(context, &answer))?;
                let (user, id, relay) = (device.user().clone(), device.id(), self.hosts[primary].relay.clone());
                self.join(step, Host { relay, store, faults, device: Some(device), user, id });
                self.publish(primary)?;
                self.publish(at)
            }
            "link_wrong" => {
                let store = Arc::new(MemoryStore::new());
                let linking = self.outside.with(|context| Device::begin_link(store, &key(), context, &server()))?;
                let confirmed = self.call(at, |device, context| device.link_device(context, "no code"));
                let completed = self.outside.with(|context| linking.complete(context, b"no answer"));
                for error in [confirmed.err(), completed.err()].into_iter().flatten() {
                    self.say(format!("! {}", error.code.number()));
                }
                Ok(())
            }
            "publish" => self.publish(at),
            "reopen" => {
                let host = self.hosts.get_mut(at).unwrap();
                host.device = None;
                let device = Device::open(host.store.clone(), &key())?;
                let id = device.id().0;
                host.device = Some(device);
                self.say(format!("device {id}"));
                Ok(())
            }
            "close" => {
                self.hosts.get_mut(at).unwrap().device = None;
                Ok(())
            }
            _ => {
                let device = DeviceId(u32::try_from(number(step, "number")).unwrap());
                let events = self.call(at, |own, context| own.remove_device(context, device))?;
                self.print_events(&events);
                Ok(())
            }
        }
    }

    fn act_on_mail(&mut self, what: &str, step: &Value, at: &str) -> Done {
        let (relay, caller) = (self.hosts[at].relay.clone(), (self.hosts[at].user.clone(), self.hosts[at].id));
        let caller = (&caller.0, caller.1);
        let fetch = || {
            let mails = relay.borrow().fetch(caller, 1000);
            mails.into_iter().map(|mail| (mail.id, mail.envelope)).unzip::<u64, Vec<u8>, Vec<_>, Vec<_>>()
        };
        match what {
            "read" => {
                let (ids, envelopes) = fetch();
                let results = if envelopes.is_empty() { Vec::new() } else { self.decrypt(at, &envelopes)? };
                let kept = |at: usize| {
                    let keeps = |result: &Received| matches!(result, Received::Failure { envelope, next: NextStep::Keep, .. } if *envelope == at);
                    results.iter().any(keeps)
                };
                let done: Vec<u64> = ids.iter().enumerate().filter(|(at, _)| !kept(*at)).map(|(_, id)| *id).collect();
                relay.borrow_mut().confirm(caller, &done);
                self.take(at, &results)
            }
            "peek" => {
                let results = self.decrypt(at, &fetch().1)?;
                self.print_received(&results);
                Ok(())
            }
            "steal" => {
                let (ids, envelopes) = fetch();
                relay.borrow_mut().confirm(caller, &ids);
                self.say(format!("stolen {}", envelopes.len()));
                self.mails.insert(text(step, "as").to_owned(), envelopes);
                Ok(())
            }
            "deliver" => {
                let mut envelopes = self.mails[text(step, "mails")].clone();
                if text(step, "order") == "reversed" {
                    envelopes.reverse();
                }
                let results = self.decrypt(at, &envelopes)?;
                self.take(at, &results)
            }
            "deliver_spoilt" => {
                let mut envelope = self.mails[text(step, "mails")][0].clone();
                if let Some(byte) = step["at"].as_u64() {
                    envelope[usize::try_from(byte).unwrap()] ^= 1;
                }
                if number(step, "cut") > 0 {
                    envelope.truncate(usize::try_from(number(step, "cut")).unwrap());
                }
                let results = self.decrypt(at, &[envelope])?;
                self.take(at, &results)
            }
            "decrypt_many" => {
                let results = self.decrypt(at, &vec![Vec::new(); usize::try_from(number(step, "number")).unwrap()])?;
                self.say(format!("{} results", results.len()));
                Ok(())
            }
            _ => {
                let rows = self.call(at, |device, context| device.inbox(context))?;
                self.say_all(rows.iter().map(|row| format!("0: {}", lines::item(&row.item))).collect());
                Ok(())
            }
        }
    }

    fn act_on_groups(&mut self, what: &str, step: &Value, at: &str) -> Done {
        if what == "groups" {
            let views = self.call(at, |device, context| device.groups(context))?;
            self.say_all(views.iter().map(lines::group).collect());
            return Ok(());
        }
        if what == "group" {
            let others = users(step, "users")?;
            let info = GroupChange { name: Some(text(step, "name").to_owned()), ..GroupChange::default() };
            let (id, send) = self.call(at, |device, context| {
                let (group, send) = device.create_group(context, GroupKind::Pairwise, &info, &others)?;
                Ok((group.id(), send))
            })?;
            return self.new_group(step, at, id, &send);
        }
        let id = self.groups[text(step, "group")];
        self.call(at, |device, context| device.group(context, &id).map(drop))?;
        if what == "fork" {
            let others = users(step, "users")?;
            let (id, send) = self.call(at, |device, context| {
                let (group, send) = device.group(context, &id)?.fork_without(context, &others)?;
                Ok((group.id(), send))
            })?;
            return self.new_group(step, at, id, &send);
        }
        let line = match what {
            "view" => lines::group(&self.call(at, |device, context| device.group(context, &id)?.view(context))?),
            "history" => {
                for entry in self.call(at, |device, context| device.group(context, &id)?.history(context))? {
                    let counts = if entry.counts { "counts" } else { "void" };
                    let who = format!("{}/{}", name(&entry.user), entry.device.0);
                    self.say(format!("{} {who} {} {counts}", s(&entry.id.0), lines::act(&entry.act)));
                }
                return Ok(());
            }
            "cost" => {
                let length = usize::try_from(number(step, "number")).unwrap();
                let cost = self.call(at, |device, context| device.group(context, &id)?.cost(context, length))?;
                let unknown = lines::named("unknown", cost.unknown.iter().map(name));
                format!("{} envelopes {} bytes{unknown}", cost.envelopes, cost.bytes)
            }
            "group_session" => {
                let with = (user(text(step, "user"))?, DeviceId(u32::try_from(number(step, "number")).unwrap()));
                let view =
                    self.call(at, |device, context| device.group(context, &id)?.session(context, &with.0, with.1))?;
                lines::session(view.as_ref())
            }
            _ => {
                let others = if what == "add" { users(step, "users")? } else { Vec::new() };
                let send = self.call(at, |device, context| {
                    let group = device.group(context, &id)?;
                    match what {
                        "add" => group.add(context, &others),
                        "rename" => group.rename(context, text(step, "name")),
                        "leave" => group.leave(context),
                        "accept" => group.accept(context),
                        "decline" => group.decline(context),
                        _ => group.send(context, text(step, "text").as_bytes(), None),
                    }
                })?;
                return self.begin(at, &send);
            }
        };
        self.say(line);
        Ok(())
    }

    fn act_on_the_registry(&mut self, what: &str, step: &Value, at: &str) -> Done {
        if what == "users" {
            let views = self.call(at, |device, context| device.users(context))?;
            views.iter().for_each(|view| self.say(lines::user(view)));
            return Ok(());
        }
        if what == "meet" || what == "apply_garbage" {
            let answers = if what == "meet" {
                let needs: Vec<Need> = users(step, "users")?.into_iter().map(Need::DeviceList).collect();
                self.relay(step).borrow_mut().answer(&needs)
            } else {
                let (device_lists, bundles) = (vec![b"no list".to_vec()], vec![b"no bundle".to_vec()]);
                Answers { device_lists, bundles, ..Answers::default() }
            };
            let applied = self.call(at, |device, context| device.apply(context, &answers))?;
            self.print_applied(&applied);
            return Ok(());
        }
        let of = user(text(step, "user"))?;
        match what {
            "devices" => {
                for view in self.call(at, |device, context| device.devices(context, &of))? {
                    let state = match view.state {
                        DeviceState::Active => "active",
                        DeviceState::NoSession => "no-session",
                        DeviceState::Stale => "stale",
                    };
                    let keys = format!("signing {} identity {}", s(&view.signing_key), s(&view.identity_key));
                    let session = view.session.map_or(String::new(), |id| format!(" session {}", s(&id.0)));
                    self.say(format!("device {} {keys} {state}{session}", view.device.0));
                }
                Ok(())
            }
            "session" => {
                let device = DeviceId(u32::try_from(number(step, "number")).unwrap());
                let view = self.call(at, |own, context| own.session(context, &of, device))?;
                self.say(lines::session(view.as_ref()));
                Ok(())
            }
            "safety" => {
                let digits = self.call(at, |device, context| device.safety_number(context, &of))?;
                self.say(format!("safety {digits}"));
                Ok(())
            }
            "verify" => self.call(at, |device, context| device.mark_verified(context, &of)),
            "resolve_fork" => self.call(at, |device, context| device.resolve_fork(context, &of)),
            _ => {
                let known = self.call(at, |device, context| device.users(context))?;
                let known: Option<&UserView> = known.iter().find(|view| view.user == of);
                let claimed = step["claimed"].as_bool().unwrap();
                let key = known.and_then(|view| if claimed { view.claimed_key } else { Some(view.account_key) });
                let key = key.unwrap_or(sesame_core::ids::AccountKey([0; 32]));
                let results = self.call(at, |device, context| device.accept_identity(context, &of, &key))?;
                self.take(at, &results)
            }
        }
    }

    fn act_on_sends(&mut self, what: &str, step: &Value, at: &str) -> Done {
        match what {
            "encrypt" | "send" | "encrypt_long" => {
                let to = users(step, "to")?;
                let payload = match what {
                    "encrypt_long" => vec![b'x'; usize::try_from(number(step, "number")).unwrap()],
                    _ => text(step, "text").as_bytes().to_vec(),
                };
                let send =
                    self.call(at, |device, context| device.batch_encrypt(context, to.as_slice(), &payload, None))?;
                self.print_send(&send);
                if what == "send" { self.settle(at) } else { Ok(()) }
            }
            "session_send" => {
                let with = (user(text(step, "user"))?, DeviceId(u32::try_from(number(step, "number")).unwrap()));
                let payload = text(step, "text").as_bytes();
                let send = self.call(at, |device, context| device.encrypt_to(context, &with.0, with.1, payload))?;
                self.begin(at, &send)
            }
            "settle" => self.settle(at),
            "outbox" => {
                let sends = self.call(at, |device, context| device.outbox(context))?;
                let lines = sends.iter().flat_map(lines::send).collect();
                self.say_all(lines);
                Ok(())
            }
            _ => {
                let of = user(text(step, "user"))?;
                for send in self.call(at, |device, context| device.outbox(context))? {
                    self.call(at, |device, context| device.abandon(context, &send.id, &of))?;
                }
                Ok(())
            }
        }
    }

    fn seen(&mut self, step: &Value) {
        let view = self.relay(step).borrow().view();
        for seen in view.seen {
            let line = match seen {
                Seen::BundleFetched { user, device } => format!("bundle {}/{}", name(&user), device.0),
                Seen::Published { user, device, bytes } => format!("published {}/{} {bytes}", name(&user), device.0),
                Seen::Submitted { sender, sender_device, recipient, envelopes, skipped, refusal } => {
                    let envelopes: String = envelopes
                        .iter()
                        .map(|one| {
                            let initiation = if one.initiation { ":initiation" } else { "" };
                            format!(" {}:{}{initiation}", one.device.0, one.bytes)
                        })
                        .collect();
                    let skipped = lines::named("skipped", skipped.iter().map(|device| device.0));
                    let outcome = if refusal.is_none() { "accepted" } else { "refused" };
                    let sender = format!("{}/{}", name(&sender), sender_device.0);
                    format!("{sender} -> {}{envelopes}{skipped} {outcome}", name(&recipient))
                }
            };
            self.say(line);
        }
        for ((user, device), count) in view.waiting.into_iter().filter(|(_, count)| *count > 0) {
            self.say(format!("waiting {}/{} {count}", name(&user), device.0));
        }
    }
}
