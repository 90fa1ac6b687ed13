//! Mail: what lies in a mailbox, and what came of it.

use super::{Done, Scene, lines, number, text};
use serde_json::Value;
use sesame_core::{error::Error, event::MailResult};

impl Scene<'_> {
    pub(super) fn act_on_mail(&mut self, what: &str, step: &Value, at: &str) -> Done {
        match what {
            "read" | "peek" => {
                self.call_with(at, |_, _, requests| {
                    requests.request_mail(1000);
                    Ok(())
                })?;
                self.exchange(at)?;
                let ids = self.inbox(at)?;
                if what == "read" { self.ack(at, &ids) } else { Ok(()) }
            }
            "inbox" => self.inbox(at).map(drop),
            "steal" => {
                let host = &self.hosts[at];
                let (relay, caller) = (host.path.relay.clone(), (&host.user, host.id));
                let mails = relay.borrow().fetch(caller, usize::MAX);
                relay.borrow_mut().lose(caller);
                self.say(format!("stolen {}", mails.len()));
                self.mails.insert(text(step, "as").to_owned(), mails.into_iter().map(|mail| mail.envelope).collect());
                Ok(())
            }
            "deliver" => {
                let mut envelopes = self.mails[text(step, "mails")].clone();
                if text(step, "order") == "reversed" {
                    envelopes.reverse();
                }
                self.deliver(at, &envelopes)
            }
            "deliver_spoilt" => {
                let mut envelope = self.mails[text(step, "mails")][0].clone();
                if let Some(byte) = step["at"].as_u64() {
                    envelope[usize::try_from(byte).unwrap()] ^= 1;
                }
                if number(step, "cut") > 0 {
                    envelope.truncate(usize::try_from(number(step, "cut")).unwrap());
                }
                self.deliver(at, &[envelope])
            }
            _ => {
                let envelopes = vec![Vec::new(); usize::try_from(number(step, "number")).unwrap()];
                let results = self.decrypt(at, &envelopes)?;
                self.say(format!("{} results", results.len()));
                Ok(())
            }
        }
    }

    fn decrypt(&mut self, at: &str, envelopes: &[Vec<u8>]) -> Result<Vec<MailResult>, Error> {
        self.call(at, |device, context| device.batch_decrypt(context, envelopes, false))
    }

    fn deliver(&mut self, at: &str, envelopes: &[Vec<u8>]) -> Done {
        let results = self.decrypt(at, envelopes)?;
        results.iter().enumerate().for_each(|(at, result)| self.say(lines::result(at, result)));
        let ids = self.inbox(at)?;
        self.ack(at, &ids)
    }

    /// Prints what is in the inbox; gives its ids.
    fn inbox(&mut self, at: &str) -> Result<Vec<u64>, Error> {
        let rows = self.call(at, |device, context| device.inbox(context, 0, 1000))?;
        self.say_all(rows.iter().map(lines::item).collect());
        Ok(rows.iter().map(|row| row.id).collect())
    }

    fn ack(&mut self, at: &str, ids: &[u64]) -> Done {
        self.call(at, |device, context| device.ack(context, ids))
    }
}
