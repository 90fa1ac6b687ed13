//! Groups.

use super::{Done, Scene, device_id, lines, number, text, users};
use crate::lines::{at as address, name, s};
use serde_json::Value;
use sesame_core::{
    event::{GroupChange, PendingSend},
    ids::{GroupId, GroupKind},
};

impl Scene<'_> {
    fn new_group(&mut self, step: &Value, at: &str, id: GroupId, send: PendingSend) -> Done {
        self.groups.insert(text(step, "as").to_owned(), id);
        self.say(format!("group {}", s(&id.0)));
        self.sends(at, send)
    }

    pub(super) fn act_on_groups(&mut self, what: &str, step: &Value, at: &str) -> Done {
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
            return self.new_group(step, at, id, send);
        }
        let id = self.groups[text(step, "group")];
        self.call(at, |device, context| device.group(context, &id).map(drop))?;
        match what {
            "fork" => {
                let others = users(step, "users")?;
                let (id, send) = self.call(at, |device, context| {
                    let (group, send) = device.group(context, &id)?.fork_without(context, &others)?;
                    Ok((group.id(), send))
                })?;
                self.new_group(step, at, id, send)
            }
            "forget_group" => self.call(at, |device, context| device.group(context, &id)?.forget(context)),
            "view" | "history" | "cost" | "group_session" => self.look_at_a_group(what, step, at, id),
            _ => {
                let others = users(step, "users")?;
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
                self.sends(at, send)
            }
        }
    }

    fn look_at_a_group(&mut self, what: &str, step: &Value, at: &str, id: GroupId) -> Done {
        let line = match what {
            "view" => lines::group(&self.call(at, |device, context| device.group(context, &id)?.view(context))?),
            "history" => {
                for entry in self.call(at, |device, context| device.group(context, &id)?.history(context))? {
                    let counts = if entry.counts { "counts" } else { "void" };
                    let who = address(&entry.user, entry.device);
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
            _ => {
                let (with, number) = (Self::user_of(step)?, device_id(step));
                let view =
                    self.call(at, |device, context| device.group(context, &id)?.session(context, &with, number))?;
                lines::session(view.as_ref())
            }
        };
        self.say(line);
        Ok(())
    }
}
