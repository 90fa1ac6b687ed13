//! Sends, and how they stand.

use super::{Done, Scene, device_id, lines, number, text, user, users};
use serde_json::Value;
use sesame_core::{
    error::Error,
    event::PendingSend,
    ids::{ContentId, SendId, UserId},
};

impl Scene<'_> {
    /// Prints a send, which is the device's last one from here on.
    pub(crate) fn made(&mut self, at: &str, send: PendingSend) {
        self.say(lines::send(&send));
        self.host(at).last = Some(send);
    }

    fn print_status(&mut self, at: &str, send: &SendId) -> Done {
        let status = self.call(at, |device, context| device.send_status(context, send))?;
        let lines = status.map_or_else(|| vec!["gone".to_owned()], |status| lines::status(&status));
        self.say_all(lines);
        Ok(())
    }

    /// A send, all the way.
    pub(super) fn sends(&mut self, at: &str, send: PendingSend) -> Done {
        self.made(at, send);
        self.exchange(at)?;
        self.print_status(at, &send.id)
    }

    fn last(&self, at: &str) -> SendId {
        self.hosts[at].last.map_or(SendId([0; 16]), |send| send.id)
    }

    pub(super) fn act_on_sends(&mut self, what: &str, step: &Value, at: &str) -> Done {
        match what {
            "encrypt" | "send" | "encrypt_long" | "encrypt_crowd" => {
                let send = self.encrypt(what, step, at)?;
                if what == "send" {
                    return self.sends(at, send);
                }
                self.made(at, send);
                Ok(())
            }
            "session_send" => {
                let (with, payload) = (Self::user_of(step)?, text(step, "text").as_bytes());
                let send =
                    self.call(at, |device, context| device.encrypt_to(context, &with, device_id(step), payload))?;
                self.sends(at, send)
            }
            "session_reset" => {
                let with = Self::user_of(step)?;
                self.call(at, |device, context| device.reset_session(context, &with, device_id(step)))?;
                self.exchange(at)
            }
            "batches" => {
                let id = self.last(at);
                let batches = self.call(at, |device, context| device.batches(context, &id))?;
                self.say_all(batches.iter().map(lines::batch).collect());
                Ok(())
            }
            "status" => {
                let sends = self.call(at, |device, context| device.sends(context))?;
                self.say_all(sends.iter().flat_map(lines::status).collect());
                Ok(())
            }
            _ => {
                let (id, named) = (self.last(at), users(step, "users")?);
                let named = (!named.is_empty()).then_some(named.as_slice());
                self.call_with(at, |device, context, requests| match what {
                    "cancel" => device.cancel(context, requests, &id, named),
                    _ => device.retry(context, &id),
                })?;
                self.print_status(at, &id)
            }
        }
    }

    fn encrypt(&mut self, what: &str, step: &Value, at: &str) -> Result<PendingSend, Error> {
        let count = usize::try_from(number(step, "number")).unwrap();
        let to: Vec<UserId> = match what {
            "encrypt_crowd" => (0..count).map(|one| user(&format!("u{one}"))).collect::<Result<_, _>>()?,
            _ => users(step, "to")?,
        };
        let payload = match what {
            "encrypt_long" => vec![b'x'; count],
            _ => text(step, "text").as_bytes().to_vec(),
        };
        let content = text(step, "content").as_bytes();
        let content = (!content.is_empty()).then(|| ContentId(content.try_into().unwrap()));
        self.call(at, |device, context| device.batch_encrypt(context, to.as_slice(), &payload, content))
    }
}
