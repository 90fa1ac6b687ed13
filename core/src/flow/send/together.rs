//! The parts of a new send, made side by side (ADR 34).
//!
//! Most users of a send have all that it needs: a list, a session with each device. Of these everything was read ahead, and salts are drawn in
//! the order of the users; what is left needs no store, so that it can run on any thread. The others have their turn afterwards.

use super::part::{self, To};
use crate::{
    error::Code,
    ids::{DeviceId, UserId},
    model::Peer,
    record::SendPart,
    registry::send::{self, Aim, Need},
    threads,
    tx::{
        Call,
        ahead::Recipient,
        own::OwnList,
        sends::Sending,
        sessions::{self, Sender, Step},
    },
};

/// What one user's part is made of.
struct Job {
    part: SendPart,
    /// `None` if it could not be read ahead.
    to: Option<Recipient>,
    /// One for each listed device.
    salts: Vec<[u8; 16]>,
}

/// The result of a job.
enum Made {
    /// The part with what it waits for, and what it changes of sessions.
    Part(SendPart, Vec<Need>, Vec<Step>),
    /// Its turn comes after the jobs: the store must be asked again, or something is damaged.
    Later(SendPart, Option<Recipient>),
}

/// Makes the parts of a new send, in the order of the users; gives each with what it waits for.
pub(super) fn begin(
    call: &mut Call<'_>,
    sending: &Sending,
    own: &OwnList,
    users: impl Iterator<Item = (UserId, Option<Recipient>)>,
) -> Result<Vec<(SendPart, Vec<Need>)>, Code> {
    let aim = part::aim(call, sending);
    let (mut jobs, mut devices) = (Vec::new(), 0);
    for (user, to) in users {
        let listed = to.iter().flat_map(|to| to.user.iter()).flat_map(|user| user.listed());
        let salts: Vec<[u8; 16]> = listed.map(|_| call.context.random()).collect();
        devices += salts.len();
        jobs.push(Job { part: SendPart::new(user), to, salts });
    }
    let made = threads::map(call.tx.threads(), devices, jobs, |job| job.work(sending, own, aim));
    let mut parts = Vec::with_capacity(made.len());
    for made in made {
        parts.push(match made? {
            Made::Part(part, needs, steps) => {
                steps.into_iter().try_for_each(|step| sessions::put_step(&mut call.tx, step))?;
                (part, needs)
            }
            Made::Later(mut part, to) => {
                let needs = match to {
                    Some(to) => part::advance_to(call, sending, &mut part, own, to)?,
                    None => part::advance(call, sending, &mut part, own)?,
                };
                (part, needs)
            }
        });
    }
    Ok(parts)
}

impl Job {
    fn work(self, sending: &Sending, own: &OwnList, aim: Aim<'_>) -> Result<Made, Code> {
        let Self { part, to, salts } = self;
        let Some(to) = to else { return Ok(Made::Later(part, None)) };
        let mut planned = part.clone();
        let plan = send::plan(&mut planned, to.user.as_deref(), |device| to.peers.get(device), aim);
        let is_contested = to.user.as_deref().is_some_and(|user| part::is_contested(&sending.head, user));
        if is_contested
            || aim.sessionless
            || !plan.encrypt.iter().all(|(device, _)| session(&to, *device, aim).is_some())
        {
            return Ok(Made::Later(part, Some(to)));
        }
        let mut steps = Vec::with_capacity(plan.encrypt.len());
        let mut salts = salts.into_iter();
        for (device, fingerprint) in plan.encrypt {
            let salt = salts.next().ok_or(Code::Internal)?;
            let user = to.user.as_deref().ok_or(Code::Internal)?;
            let (peer, session) = session(&to, device, aim).ok_or(Code::Internal)?;
            let to = To::new(aim.us, (user, peer, fingerprint), own, sending)?;
            let made = to.on(session, salt).map(|(entry, step)| {
                steps.push(step);
                entry
            });
            part::note(&mut planned, (device, fingerprint), made)?;
        }
        Ok(Made::Part(planned, plan.needs, steps))
    }
}

/// The session that a device hears the message on, if it has one for itself and all of it was read.
fn session<'a>(to: &'a Recipient, device: DeviceId, aim: Aim<'_>) -> Option<(&'a Peer, &'a Sender)> {
    let peer = to.peers.get(device)?;
    let sender = to.sender(peer.standing(aim.scope, aim.at)?.id)?;
    sender.outgoing().is_ok().then_some((peer, sender))
}
