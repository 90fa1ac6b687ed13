//! Users, their devices, and whom to trust.

use super::{Done, Scene, device_id, lines, text, users};
use crate::lines::h;
use serde_json::Value;
use sesame_core::{
    event::UserView,
    ids::{AccountKey, ListHash},
};

impl Scene<'_> {
    pub(super) fn act_on_the_registry(&mut self, what: &str, step: &Value, at: &str) -> Done {
        if what == "users" {
            let views = self.call(at, |device, context| device.users(context))?;
            views.iter().for_each(|view| self.say(lines::user(view)));
            return Ok(());
        }
        if what == "look_up" {
            let wanted = users(step, "users")?;
            self.call(at, |device, context| device.look_up(context, &wanted))?;
            return self.exchange(at);
        }
        let of = Self::user_of(step)?;
        match what {
            "devices" => {
                let views = self.call(at, |device, context| device.devices(context, &of))?;
                views.iter().for_each(|view| self.say(lines::device(view)));
                Ok(())
            }
            "session" => {
                let view = self.call(at, |own, context| own.session(context, &of, device_id(step)))?;
                self.say(lines::session(view.as_ref()));
                Ok(())
            }
            "safety" => {
                let digits = self.call(at, |device, context| device.safety_number(context, &of))?;
                self.say(format!("safety {digits}"));
                Ok(())
            }
            "compare" => {
                let (us, with) = (self.hosts[at].user.clone(), text(step, "with"));
                let code = match with {
                    "" => "no code".to_owned(),
                    with => self.call(with, |device, context| device.safety_code(context, &us))?,
                };
                self.say(format!("code {}", h(code.as_bytes())));
                let same = self.call(at, |device, context| device.compare_safety_code(context, &of, &code))?;
                self.say(format!("same {}", lines::yes(same)));
                Ok(())
            }
            "verify" => self.call(at, |device, context| device.mark_verified(context, &of)),
            "resolve_fork" => self.call_with(at, |device, context, requests| {
                device.resolve_fork(context, requests, &of, &ListHash([0; 32]))
            }),
            "forget" => self.call(at, |device, context| device.forget(context, &of)),
            _ => {
                let known = self.call(at, |device, context| device.users(context))?;
                let known: Option<&UserView> = known.iter().find(|view| view.user == of);
                let claimed = step["claimed"].as_bool().unwrap_or_default();
                let key = known.and_then(|view| if claimed { view.claimed_key } else { Some(view.account_key) });
                let key = key.unwrap_or(AccountKey([0; 32]));
                self.call_with(at, |device, context, requests| device.accept_identity(context, requests, &of, &key))
            }
        }
    }
}
