//! What the server has seen.

use super::{Scene, lines};
use crate::lines::name;
use serde_json::Value;
use sesame_relay::Seen;

impl Scene<'_> {
    pub(super) fn seen(&mut self, step: &Value) {
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
