//! The loop of requests, and what the script puts between a device and its relay.

use super::{Done, Scene, Shared, lines, number, text, user};
use serde_json::Value;
use sesame_core::{
    context::Timestamp,
    error::Error,
    event::{RequestKind, ServerRequest},
};
use sesame_relay::{Request, Response};

/// What stands between a device and its relay.
pub struct Path {
    /// The relay.
    pub relay: Shared,
    /// How every request of the next exchange is answered; never, if the status is below 0.
    trouble: Option<(i64, Vec<u8>)>,
    /// The kind of requests that always get the same answer, and that answer once it came.
    replay: String,
    replayed: Option<Response>,
}

impl Path {
    /// The plain way to a relay.
    pub fn to(relay: Shared) -> Self {
        Self { relay, trouble: None, replay: String::new(), replayed: None }
    }

    /// The answer to a request at this time.
    fn perform(&mut self, now: Timestamp, request: &ServerRequest) -> Response {
        let is_replayed = lines::kind(request.kind) == self.replay;
        if let Some(response) = self.replayed.clone().filter(|_| is_replayed) {
            return response;
        }
        let response = self.relay.borrow_mut().perform(now, &Request::of(request));
        if is_replayed {
            self.replayed = Some(response.clone());
        }
        response
    }
}

impl Scene<'_> {
    /// The whole loop.
    pub(super) fn exchange(&mut self, at: &str) -> Done {
        let trouble = self.host(at).path.trouble.take();
        while let Some(request) =
            self.call_with(at, |device, context, requests| device.next_request(context, requests))?
        {
            self.say(lines::request(&request));
            let now = self.outside.now();
            let response = match &trouble {
                None => self.host(at).path.perform(now, &request),
                Some((status, body)) => match u16::try_from(*status) {
                    Ok(status) => Response { status, body: body.clone() },
                    Err(_) => {
                        self.say("  unanswered");
                        continue;
                    }
                },
            };
            self.respond(at, &request, &response)?;
        }
        Ok(())
    }

    fn respond(&mut self, at: &str, request: &ServerRequest, Response { status, body }: &Response) -> Done {
        let answered = self.call_with(at, |device, context, requests| {
            device.respond(context, requests, &request.id, (*status, body))
        })?;
        self.say(lines::answered(*status, &answered));
        Ok(())
    }

    fn one_request(&mut self, at: &str) -> Result<ServerRequest, Error> {
        let request = self.call_with(at, |device, context, requests| {
            requests.request_mail(1);
            device.next_request(context, requests)
        })?;
        Ok(request.unwrap())
    }

    pub(super) fn act_on_the_loop(&mut self, what: &str, step: &Value, at: &str) -> Done {
        match what {
            "exchange" => self.exchange(at),
            "request_mail" => {
                let limit = u32::try_from(number(step, "number")).unwrap();
                self.call_with(at, |_, _, requests| {
                    requests.request_mail(limit);
                    Ok(())
                })
            }
            "answer_twice" => {
                let request = self.one_request(at)?;
                self.say(lines::request(&request));
                let now = self.outside.now();
                let response = self.host(at).path.perform(now, &request);
                self.respond(at, &request, &response)?;
                self.respond(at, &request, &response)
            }
            "foreign" => {
                let of = text(step, "of");
                let request = self.one_request(of)?;
                let answered = self.call_with(at, |device, context, requests| {
                    device.respond(context, requests, &request.id, (200, &[]))
                });
                self.say_outcome(&answered);
                self.call_with(of, |device, _, requests| device.release(requests, &request.id))
            }
            "trouble" => {
                let status = step["status"].as_i64().unwrap_or_default();
                self.host(at).path.trouble = Some((status, text(step, "body").as_bytes().to_vec()));
                Ok(())
            }
            "replay" => {
                let path = &mut self.host(at).path;
                (path.replay, path.replayed) = (text(step, "kind").to_owned(), None);
                Ok(())
            }
            "retry_now" => self.call_with(at, |_, _, requests| {
                requests.retry_now();
                Ok(())
            }),
            "move" => {
                let relay = self.relay(step);
                self.host(at).path.relay = relay;
                Ok(())
            }
            _ => {
                let health = self.call_with(at, |device, context, requests| device.health(context, requests))?;
                self.say(lines::health(&health));
                Ok(())
            }
        }
    }

    /// The relay's answer to a request of a device that is being linked.
    pub(super) fn perform(&self, relay: &Shared, request: &ServerRequest) -> Response {
        assert_eq!(request.kind, RequestKind::Link);
        relay.borrow_mut().perform(self.outside.now(), &Request::of(request))
    }

    /// The user of a step.
    pub(super) fn user_of(step: &Value) -> Result<sesame_core::ids::UserId, Error> {
        user(text(step, "user"))
    }
}
