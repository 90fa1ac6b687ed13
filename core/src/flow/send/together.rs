//! The parts of a new send, made side by side (ADR 34).
//!
//! Most users of a send have all that it needs: a list, a session with each device. Of such a user everything was read ahead, and salts are drawn
//! in the order of the users; what is left needs no store, so that it can run on any thread. The others have their turn afterwards.

use super::part::{self, To};
use crate::{
    error::Code,
    ids::UserId,
    record::SendPart,
    registry::send::{self, Aim, Need, Plan},
    threads,
    tx::{
        Call,
        ahead::Recipient,
        own::OwnList,
        sends::Sending,
        sessions::{self, Step},
    },
};

/// A user of a new send.
enum Turn {
    /// All that is needed is there.
    Job(Job),
    /// The store must be asked again, or something is missing or damaged.
    Alone(SendPart, Option<Recipient>),
}

/// What one user's part is made of.
struct Job {
    part: SendPart,
    to: Recipient,
    plan: Plan,
    /// One for each device of the plan.
    salts: Vec<[u8; 16]>,
}

/// A part with what it waits for, and what it changes of sessions.
struct Made {
    part: SendPart,
    needs: Vec<Need>,
    steps: Vec<Step>,
}

/// Makes the parts of a new send, in the order of the users; gives each with what it waits for.
pub(super) fn begin(
    call: &mut Call<'_>,
    sending: &Sending,
    own: &OwnList,
    users: Vec<(UserId, Option<Recipient>)>,
) -> Result<Vec<(SendPart, Vec<Need>)>, Code> {
    let aim = part::aim(call, sending);
    let (mut jobs, mut turns, mut devices) = (Vec::new(), Vec::new(), 0);
    for (user, to) in users {
        turns.push(match turn(call, sending, aim, SendPart::new(user), to) {
            Turn::Job(job) => {
                devices += job.salts.len();
                jobs.push(job);
                None
            }
            Turn::Alone(part, to) => Some((part, to)),
        });
    }
    let work = |job: Job| job.work(sending, own, aim);
    let mut made = threads::map(call.tx.threads(), devices, jobs, work).into_iter();
    let mut parts = Vec::with_capacity(turns.len());
    for turn in turns {
        let Some((mut part, to)) = turn else {
            let Made { part, needs, steps } = made.next().ok_or(Code::Internal)??;
            steps.into_iter().try_for_each(|step| sessions::put_step(&mut call.tx, step))?;
            parts.push((part, needs));
            continue;
        };
        let needs = match to {
            Some(to) => part::advance_to(call, sending, &mut part, own, to)?,
            None => part::advance(call, sending, &mut part, own)?,
        };
        parts.push((part, needs));
    }
    Ok(parts)
}

fn turn(call: &mut Call<'_>, sending: &Sending, aim: Aim<'_>, mut part: SendPart, to: Option<Recipient>) -> Turn {
    let Some(to) = to else { return Turn::Alone(part, None) };
    if to.user.as_deref().is_some_and(|user| part::is_contested(&sending.head, user)) || !to.peers.damaged.is_empty() {
        return Turn::Alone(part, Some(to));
    }
    let plan = send::plan(&mut part, to.user.as_deref(), |device| to.peers.get(device), aim);
    let is_there = plan.encrypt.iter().all(|(device, _)| {
        let standing = to.peers.get(*device).and_then(|peer| peer.standing(aim.scope, aim.now));
        let sender = standing.and_then(|meta| to.sender(meta.id));
        sender.is_some_and(|sender| sender.outgoing().is_ok())
    });
    if !is_there {
        return Turn::Alone(part, Some(to));
    }
    let salts = plan.encrypt.iter().map(|_| call.context.random()).collect();
    Turn::Job(Job { part, to, plan, salts })
}

impl Job {
    fn work(self, sending: &Sending, own: &OwnList, aim: Aim<'_>) -> Result<Made, Code> {
        let Self { mut part, to, plan, salts } = self;
        let mut steps = Vec::with_capacity(salts.len());
        for ((device, fingerprint), salt) in plan.encrypt.into_iter().zip(salts) {
            let (user, peer) = to.user.as_deref().zip(to.peers.get(device)).ok_or(Code::Internal)?;
            let meta = peer.standing(aim.scope, aim.now).ok_or(Code::Internal)?;
            let session = to.sender(meta.id).ok_or(Code::Internal)?;
            let to = To::new(aim.us, (user, peer, fingerprint), own, sending)?;
            part::note(&mut part, (device, fingerprint), to.on(session, salt), |step| steps.push(step))?;
        }
        Ok(Made { part, needs: plan.needs, steps })
    }
}
