//! Devices: how they come to be, by themselves or by linking, and their stores.

use super::{Done, Host, SERVER, Scene, Shared, device_id, key, lines, number, text, user};
use crate::lines::{h, s};
use serde_json::Value;
use sesame_core::{
    device::{Device, LinkRequests, Linking, Requests},
    error::{Blame, Error},
    event::{LinkLeg, Server},
    ids::ListHash,
    secret::Secret,
    store::MemoryStore,
};
use sesame_relay::Response;
use std::sync::Arc;

fn server() -> Server {
    Server::named(SERVER).unwrap()
}

/// A new device that is being linked.
struct New {
    linking: Option<Linking>,
    requests: LinkRequests,
    device: Option<Device>,
}

impl New {
    fn waiting(&self) -> &Linking {
        self.linking.as_ref().unwrap()
    }
}

impl Scene<'_> {
    pub(super) fn act_on_devices(&mut self, what: &str, step: &Value, at: &str) -> Done {
        match what {
            "create" => {
                let (relay, kept) = (self.relay(step), self.store(step)?);
                let (store, user) = (kept.0.clone(), user(text(step, "user"))?);
                let device = self.outside.with(|context| Device::create(store, &key(), context, &user, &server()))?;
                self.say(format!("device {}", device.id().0));
                self.hosts.insert(at.to_owned(), Host::new(relay, kept, device));
                self.exchange(at)
            }
            "link" => self.link(step, at),
            "link_wrong" => self.link_wrong(at),
            "reopen" => {
                let host = self.host(at);
                (host.device, host.requests) = (None, Requests::new());
                let device = Device::open(host.store.clone(), &key())?;
                let id = device.id().0;
                host.device = Some(device);
                self.say(format!("device {id}"));
                Ok(())
            }
            "close" => {
                self.host(at).device = None;
                Ok(())
            }
            "adopt_own_list" => self.call(at, |own, context| own.adopt_own_list(context, &ListHash([0; 32]))),
            "hand_over" => {
                let view = self.call(at, |own, context| own.hand_over(context, device_id(step)))?;
                self.say(format!("handover {} digits {}", s(&view.id.0), view.digits));
                self.handover = view.id;
                Ok(())
            }
            "confirm_handover" => {
                let id = self.handover;
                self.call(at, |own, context| own.confirm_handover(context, &id))
            }
            "cancel_handover" => {
                let id = self.handover;
                self.call(at, |own, context| own.cancel_handover(context, &id))
            }
            "remove_device" => self.call(at, |own, context| own.remove_device(context, device_id(step))),
            "set_push" => self.call(at, |device, context| device.set_push(context, text(step, "text").as_bytes())),
            "keep_sent" => {
                let days = u32::try_from(number(step, "number")).unwrap();
                self.call(at, |device, context| device.keep_sent(context, days))
            }
            "log_out" => {
                let send = self.call(at, |device, context| device.log_out(context))?;
                self.made(at, send);
                Ok(())
            }
            "delete_account" => self.call(at, |device, context| device.delete_account(context)),
            "primary" => {
                let is_primary = self.call(at, |device, context| device.is_primary(context))?;
                self.say(format!("primary {}", lines::yes(is_primary)));
                Ok(())
            }
            _ => self.act_on_a_store(what, step, at),
        }
    }

    fn act_on_a_store(&mut self, what: &str, step: &Value, at: &str) -> Done {
        match what {
            "fail" => {
                let faults = self.hosts[at].faults.clone().unwrap();
                let of = if text(step, "method") == "load" { &faults.load } else { &faults.commit };
                *of.lock().unwrap() = number(step, "with");
                Ok(())
            }
            "spoil" => {
                self.hosts[at].faults.clone().unwrap().spoil();
                Ok(())
            }
            "erase" => {
                let store = self.host(at).store.clone();
                self.outside.with(|context| Device::erase(store.as_ref(), context))
            }
            "open_wrong_key" => {
                let key = Secret::init_with(|key| key.fill(0x5b));
                Device::open(self.hosts[at].store.clone(), &key).map(drop)
            }
            "create_over" => {
                let (store, user) = (self.hosts[at].store.clone(), self.hosts[at].user.clone());
                self.outside.with(|context| Device::create(store, &key(), context, &user, &server())).map(drop)
            }
            _ => Device::open(Arc::new(MemoryStore::new()), &key()).map(drop),
        }
    }

    fn link(&mut self, step: &Value, at: &str) -> Done {
        let (primary, kept) = (text(step, "primary"), self.store(step)?);
        let relay = self.hosts[primary].path.relay.clone();
        let store = kept.0.clone();
        let linking = self.outside.with(|context| Device::begin_link(store, &key(), context, &server()))?;
        let code = linking.code().to_owned();
        let mut new = New { linking: Some(linking), requests: LinkRequests::new(), device: None };
        self.say(format!("code {}", h(code.as_bytes())));
        let link = self.call(primary, |device, context| device.link_device(context, &code))?;
        self.exchange(primary)?;
        self.exchange_new(&relay, &mut new)?;
        let digits = new.waiting().digits()?.unwrap();
        let differ = if digits == link.digits { String::new() } else { format!(" other {}", link.digits) };
        self.say(format!("digits {digits}{differ}"));
        self.outside.with(|context| new.waiting().confirm(context))?;
        let id = self.call(primary, |device, context| device.confirm_link(context, &link.id))?;
        self.say(format!("device {}", id.0));
        self.exchange(primary)?;
        self.exchange_new(&relay, &mut new)?;
        let device = new.device.unwrap();
        assert_eq!(device.id(), id);
        self.hosts.insert(at.to_owned(), Host::new(relay, kept, device));
        self.exchange(at)
    }

    /// The loop of a new device, as `sesame::Linking` runs it.
    fn exchange_new(&mut self, relay: &Shared, new: &mut New) -> Done {
        while let Some(linking) = &new.linking {
            let Some(request) = self.outside.with(|context| linking.next_request(context, &mut new.requests))? else {
                break;
            };
            self.say(lines::request(&request));
            let Response { status, body } = self.perform(relay, &request);
            let wait = linking.next_leg()?;
            let requests = &mut new.requests;
            let (mut answered, found) =
                self.outside.with(|context| linking.found(context, requests, &request.id, (status, &body)));
            if let (Some(found), Some(wait)) = (found, wait)
                && let Err(error) = self.take_leg(new, wait.leg, &found)
            {
                if !matches!(error.code.blame(), Blame::App | Blame::Peer | Blame::Server) {
                    return Err(error);
                }
                new.requests.end(error.code);
                answered.problem = error.code.number();
            }
            self.say(lines::answered(status, &answered));
        }
        Ok(())
    }

    fn take_leg(&mut self, new: &mut New, leg: LinkLeg, found: &[u8]) -> Result<(), Error> {
        match leg {
            LinkLeg::Hello => self.outside.with(|context| new.waiting().hear_hello(context, found)).map(drop),
            LinkLeg::Answer => {
                let linking = new.linking.take().unwrap();
                new.device = Some(self.outside.with(|context| linking.complete(context, found))?);
                Ok(())
            }
        }
    }

    fn begin_link(&mut self) -> Result<Linking, Error> {
        let store = Arc::new(MemoryStore::new());
        self.outside.with(|context| Device::begin_link(store, &key(), context, &server()))
    }

    fn link_wrong(&mut self, at: &str) -> Done {
        let no_code = self.call(at, |device, context| device.link_device(context, "no code"));
        self.say_outcome(&no_code);
        let first = self.begin_link()?;
        let code = first.code().to_owned();
        let cut = self.call(at, |device, context| device.link_device(context, &code[..code.len() - 1]));
        self.say_outcome(&cut);
        let confirmed = self.outside.with(|context| first.confirm(context));
        self.say_outcome(&confirmed);
        let again = self.call(at, |device, context| device.link_device(context, &code)).and_then(|link| {
            self.call(at, |device, context| device.cancel_link(context, &link.id))?;
            self.call(at, |device, context| device.link_device(context, &code))
        });
        self.say_outcome(&again);
        let second = self.begin_link()?;
        self.outside.advance(660_000);
        let late = self.call(at, |device, context| device.link_device(context, second.code()));
        self.say_outcome(&late);
        self.say(format!("expired {}", lines::yes(second.expired(self.outside.now())?)));
        Ok(())
    }
}
