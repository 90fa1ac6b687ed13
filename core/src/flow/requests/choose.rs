//! Which piece of work comes next, and when. Nothing is changed here.
//!
//! The order: a deletion; what makes this device known (the first publication, and a list whose devices changed), before which nothing else
//! goes; a step of linking another device; device lists; bundles; batches; the other publications; the push value; confirmations; mail.

use super::{
    pause::left,
    queue::Queue,
    state::{Fetch, Requests, Work},
};
use crate::{
    error::Code,
    flow::upkeep::{
        link,
        publish::{self, Due},
        tick,
    },
    ids::{DeviceId, UserId},
    limits::{
        MAX_BATCHES, MAX_BUNDLES_ASKED, MAX_CONFIRMED, MAX_INBOX_BYTES, MAX_INBOX_ITEMS, MAX_LISTS_ASKED, MAX_MAIL,
    },
    record::ServerState,
    store::{Kind, Places},
    tx::{Call, Ready},
    wire::request::Path,
};
use foldhash::fast::RandomState;
use std::collections::HashSet;

/// The longest that a device says nothing is due, in ms: once a day there is always something to look after.
const LONGEST: u64 = 24 * 60 * 60 * 1_000;

/// What comes next, before it is known which upload a publication is.
#[derive(Debug)]
pub(super) enum Choice {
    Publish,
    Work(Work),
}

/// What is in other requests.
struct Busy<'a> {
    users: HashSet<&'a UserId, RandomState>,
    devices: HashSet<&'a (UserId, DeviceId), RandomState>,
    asked: HashSet<&'a UserId, RandomState>,
    paths: Vec<Path>,
}

impl<'a> Busy<'a> {
    fn of(requests: &'a Requests) -> Self {
        let mut busy = Self {
            users: HashSet::default(),
            devices: HashSet::default(),
            asked: HashSet::default(),
            paths: Vec::new(),
        };
        for lent in requests.lent.values() {
            busy.paths.push(lent.work.path());
            match &lent.work {
                Work::Submit(parts) => busy.users.extend(parts.iter().map(|part| &part.user)),
                Work::Bundles(devices) => busy.devices.extend(devices),
                Work::Lists(users) => busy.asked.extend(users),
                _ => {}
            }
        }
        busy
    }

    fn has(&self, path: Path) -> bool {
        self.paths.contains(&path)
    }
}

/// The next piece of work, or `None` if there is none now.
pub(super) fn next(call: &Call<'_>, requests: &Requests, queue: &Queue) -> Result<Option<Choice>, Code> {
    let server = call.tx.server()?;
    if is_over(&server, requests) || requests.pause.left(call.now()) > 0 {
        return Ok(None);
    }
    let busy = Busy::of(requests);
    if server.delete {
        return Ok((!busy.has(Path::Delete)).then_some(Choice::Work(Work::Delete)));
    }
    let due = publish::due(call, requests.stock)?;
    if due == Due::BeforeAll {
        return Ok((!busy.has(Path::Publication)).then_some(Choice::Publish));
    }
    let mut choices = Vec::new();
    // A link's parts follow the list that names the new device.
    if !busy.has(Path::Link) {
        let due = link::due(call).map_err(|error| error.code)?;
        choices.extend(due.into_iter().next().map(|post| Choice::Work(Work::Link(post))));
    }
    choices.extend(lists(requests, queue, &busy));
    choices.extend(bundles(requests, queue, &busy));
    choices.extend(submit(requests, queue, &busy));
    if due == Due::InTime && !busy.has(Path::Publication) {
        choices.push(Choice::Publish);
    }
    choices.extend(push(&server, &busy));
    choices.extend(confirm(requests, &busy));
    if let Some(fetch) = requests.fetch.filter(|_| !busy.has(Path::Mail))
        && !is_inbox_full(call)?
    {
        choices.push(mail(fetch));
    }
    // What failed last time waits until the rest has had its turn.
    let failed = |choice: &Choice| match choice {
        Choice::Publish => requests.failed.contains(&Path::Publication),
        Choice::Work(work) => requests.failed.contains(&work.path()),
    };
    let first = choices.iter().position(|choice| !failed(choice)).unwrap_or(0);
    Ok((first < choices.len()).then(|| choices.swap_remove(first)))
}

/// Whether nothing is asked of the server any more.
fn is_over(server: &ServerState, requests: &Requests) -> bool {
    server.deleted || server.refused || server.removed || requests.over.is_some()
}

fn lists(requests: &Requests, queue: &Queue, busy: &Busy<'_>) -> Option<Choice> {
    let free = |user: &&UserId| !busy.asked.contains(user) && !requests.resting.contains_key(user);
    let users = together(queue.lists.iter().filter(free), |user| requests.alone_users.contains(user), MAX_LISTS_ASKED);
    (!users.is_empty()).then_some(Choice::Work(Work::Lists(users)))
}

fn bundles(requests: &Requests, queue: &Queue, busy: &Busy<'_>) -> Option<Choice> {
    let free = |device: &&(UserId, DeviceId)| {
        !busy.devices.contains(device) && !requests.resting.contains_key(&device.0) && !queue.lists.contains(&device.0)
    };
    let is_alone = |device: &(UserId, DeviceId)| requests.alone_users.contains(&device.0);
    let devices = together(queue.bundles.iter().filter(free), is_alone, MAX_BUNDLES_ASKED);
    (!devices.is_empty()).then_some(Choice::Work(Work::Bundles(devices)))
}

/// What one request asks about: at most `most`, or one that must go alone.
fn together<'a, T: Clone + 'a>(
    waiting: impl Iterator<Item = &'a T>,
    is_alone: impl Fn(&T) -> bool,
    most: usize,
) -> Vec<T> {
    let mut asked = Vec::new();
    for one in waiting {
        if is_alone(one) {
            if asked.is_empty() {
                return vec![one.clone()];
            }
            continue;
        }
        asked.push(one.clone());
        if asked.len() == most {
            break;
        }
    }
    asked
}

/// > A user's batches ride oldest first, in one request at a time.
fn submit(requests: &Requests, queue: &Queue, busy: &Busy<'_>) -> Option<Choice> {
    let mut named: HashSet<&UserId, RandomState> = HashSet::default();
    let mut parts: Vec<Ready> = Vec::new();
    for part in &queue.ready {
        // A batch for a list that is asked for would be refused.
        let waits = requests.resting.contains_key(&part.user)
            || busy.users.contains(&part.user)
            || queue.lists.contains(&part.user);
        if waits || !named.insert(&part.user) {
            continue;
        }
        if requests.alone.contains(part) {
            if parts.is_empty() {
                return Some(Choice::Work(Work::Submit(vec![part.clone()])));
            }
            continue;
        }
        parts.push(part.clone());
        if parts.len() == MAX_BATCHES {
            break;
        }
    }
    (!parts.is_empty()).then_some(Choice::Work(Work::Submit(parts)))
}

fn push(server: &ServerState, busy: &Busy<'_>) -> Option<Choice> {
    let push = server.push.as_ref().filter(|push| push.due && !busy.has(Path::Push))?;
    Some(Choice::Work(Work::Push(push.value.clone())))
}

fn confirm(requests: &Requests, busy: &Busy<'_>) -> Option<Choice> {
    if requests.confirm.is_empty() || busy.has(Path::Confirm) {
        return None;
    }
    Some(Choice::Work(Work::Confirm(requests.confirm.iter().take(MAX_CONFIRMED).copied().collect())))
}

fn mail(fetch: Fetch) -> Choice {
    let most = u32::try_from(MAX_MAIL).unwrap_or(u32::MAX);
    let limit = u16::try_from(fetch.left.min(most)).unwrap_or(1);
    Choice::Work(Work::Mail { after: fetch.after, limit })
}

/// Whether the inbox has so much that no mail is fetched before the app has acked some of it.
pub(crate) fn is_inbox_full(call: &Call<'_>) -> Result<bool, Code> {
    let (items, bytes) = call.tx.weigh(&Places::all(Kind::Item))?;
    Ok(items >= MAX_INBOX_ITEMS || bytes >= MAX_INBOX_BYTES)
}

/// Whether the server has this device's prekeys and the list that names it.
pub(crate) fn is_registered(call: &Call<'_>) -> Result<bool, Code> {
    Ok(publish::due(call, None)? != Due::BeforeAll)
}

/// Why nothing is asked of the server any more, as far as the store says.
pub(crate) fn ended(call: &Call<'_>) -> Result<Option<Code>, Code> {
    let server = call.tx.server()?;
    let removed = server.removed.then_some(Code::RemovedFromAccount);
    Ok(removed.or(server.refused.then_some(Code::RegistrationRefused)))
}

/// How long it is until there is something to give out, in ms; and the queue, if it had to be made.
pub(crate) fn due_in(call: &mut Call<'_>, requests: &Requests) -> Result<(u64, Option<Queue>), Code> {
    if is_over(&call.tx.server()?, requests) {
        return Ok((LONGEST, None));
    }
    let now = call.now();
    let paused = requests.pause.left(now);
    if paused > 0 {
        return Ok((paused, None));
    }
    let generation = call.tx.generation()?;
    let known = requests.queue.as_ref().filter(|queue| queue.generation == generation);
    let made = if known.is_none() { Some(Queue::survey(call)?) } else { None };
    let queue = known.or(made.as_ref()).ok_or(Code::Internal)?;
    let soonest = if next(call, requests, queue)?.is_some() { 0 } else { soonest(call, requests)? };
    Ok((soonest, made))
}

/// How long it is until something is due by time, in ms.
fn soonest(call: &Call<'_>, requests: &Requests) -> Result<u64, Code> {
    let now = call.now();
    let mut soonest = tick::due_in(call)?.min(LONGEST);
    for until in requests.resting.values().chain(requests.lent.values().map(|lent| &lent.until)) {
        soonest = soonest.min(left(*until, now));
    }
    Ok(soonest)
}
