use super::*;
use crate::outside::Clock;
use sesame_core::{
    context::Timestamp,
    event::RequestKind,
    ids::UserId,
    internal::wire::answer,
    store::{Changes, CommitError, Generation, MemoryStore, Query, Snapshot, Store, StoreError, StoreErrorKind},
};
use sesame_relay::{Relay, Request, Response};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

const SERVER: &str = "chat.test";
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A store that can be made to fail.
struct Failing {
    inner: Arc<dyn Store>,
    fails: AtomicBool,
}

impl Store for Failing {
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
        if self.fails.load(Ordering::Relaxed) { Err(StoreErrorKind::Io.into()) } else { self.inner.load(queries, hold) }
    }

    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
        self.inner.commit(expected, changes)
    }

    fn release(&self) {
        self.inner.release();
    }
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

fn key() -> Secret<32> {
    Secret::init_with(|key| key.fill(1))
}

#[test]
#[cfg_attr(miri, ignore = "key agreement takes hours there")]
fn a_link_goes_its_way_though_answers_are_wrong_and_the_store_fails() -> Result<(), Error> {
    let server = Server::named("chat.test")?;
    let primary = Client::create(Host::new(memory(), key()), &UserId::try_from("alice")?, &server)?;
    let store = Arc::new(Failing { inner: memory(), fails: AtomicBool::new(false) });
    let link = Linking::begin(Host::new(store.clone(), key()), &server)?;
    let offered = primary.link_device(link.code())?;
    let hello = primary.link_posts()?.remove(0);
    assert_eq!(link.next_leg()?.map(|wait| wait.leg), Some(LinkLeg::Hello));
    store.fails.store(true, Ordering::Relaxed);
    assert_eq!(link.hear_hello(&hello.bytes), Err(Code::StoreIo.into()));
    store.fails.store(false, Ordering::Relaxed);
    assert_eq!(link.digits(), Ok(None));
    assert_eq!(link.hear_hello(&hello.bytes).as_ref(), Ok(&offered.digits));
    assert_eq!(primary.link_posted(&offered.id, LinkLeg::Hello, &hello.bytes), Ok(true));
    assert_eq!(primary.confirm_link(&offered.id)?, DeviceId(2));
    assert_eq!(primary.link_posts(), Ok(vec![]), "the list is not published yet");
    let answer = primary.call(|core, context| core.link_leg(context, &offered.id, LinkLeg::Answer))?;
    let answer = answer.ok_or(Code::Internal)?;
    assert_eq!(link.complete(&answer).map(drop), Err(Code::LinkNotConfirmed.into()));
    link.confirm()?;
    store.fails.store(true, Ordering::Relaxed);
    assert!(link.complete(b"nonsense").is_err());
    assert_eq!(link.complete(&answer).map(drop), Err(Code::StoreIo.into()));
    assert_eq!(link.complete(&answer).map(drop), Err(Code::StoreIo.into()), "and it waits as long as that lasts");
    store.fails.store(false, Ordering::Relaxed);
    let linked = link.complete(&answer)?;
    assert_eq!(linked.call(|device, _| Ok(device.id().0)), Ok(2));
    assert_eq!(link.complete(&answer).map(drop), Err(Code::Closed.into()));
    assert_eq!(link.confirm(), Err(Code::Closed.into()));
    assert_eq!(
        (link.digits(), link.expired(), link.next_leg()),
        (Ok(None), Ok(false), Ok(None)),
        "what only looks never fails"
    );
    Ok(())
}

/// A primary and a new device, each with its loop, one clock for all, and a server whose boxes are a relay of their own, so that they can be
/// lost.
struct World {
    clock: Clock,
    relay: Relay,
    boxes: Relay,
    primary: Client,
    store: Arc<dyn Store>,
    link: Linking,
}

impl World {
    fn new() -> Result<Self, Error> {
        let (clock, server) = (Clock::test(1_700_000_000_000), Server::named(SERVER)?);
        let host = |store| Host::new(store, key()).with_clock(clock.clone());
        let primary = Client::create(host(memory()), &UserId::try_from("alice")?, &server)?;
        let store = memory();
        let link = Linking::begin(host(store.clone()), &server)?;
        Ok(Self { clock, relay: Relay::new(SERVER), boxes: Relay::new(SERVER), primary, store, link })
    }

    /// Two devices that show the same digits, and both apps have confirmed. The answer is not at the server yet.
    fn confirmed() -> Result<Self, Error> {
        let mut world = Self::new()?;
        let offered = world.primary.link_device(world.link.code())?;
        world.run_primary()?;
        world.run_new()?;
        assert_eq!(world.link.digits()?, Some(offered.digits));
        world.primary.confirm_link(&offered.id)?;
        world.link.confirm()?;
        Ok(world)
    }

    fn perform(&mut self, request: &ServerRequest) -> Response {
        let server = if request.kind == RequestKind::Link { &mut self.boxes } else { &mut self.relay };
        server.perform(Timestamp(self.clock.now()), &Request::of(request))
    }

    fn run(&mut self, client: &Client) -> Result<Vec<RequestKind>, Error> {
        let mut asked = Vec::new();
        while let Some(request) = client.next_request()? {
            let Response { status, body } = self.perform(&request);
            client.respond(&request.id, status, &body)?;
            asked.push(request.kind);
        }
        Ok(asked)
    }

    /// Runs the primary's loop. Gives how many legs it put.
    fn run_primary(&mut self) -> Result<usize, Error> {
        let mut puts = 0;
        while let Some(request) = self.primary.next_request()? {
            let Response { status, body } = self.perform(&request);
            self.primary.respond(&request.id, status, &body)?;
            puts += usize::from(request.kind == RequestKind::Link);
        }
        Ok(puts)
    }

    /// Runs the new device's loop. Gives how often it looked.
    fn run_new(&mut self) -> Result<usize, Error> {
        let mut looks = 0;
        while let Some(request) = self.link.next_request()? {
            let Response { status, body } = self.perform(&request);
            assert!(self.link.respond(&request.id, status, &body)?.known);
            looks += 1;
        }
        Ok(looks)
    }
}

fn nothing_there() -> Result<Vec<u8>, Error> {
    Ok(answer::Link { found: None }.encode()?)
}

#[test]
#[cfg_attr(miri, ignore = "key agreement takes hours there")]
fn a_new_device_that_was_away_for_23_hours_finds_its_answer() -> Result<(), Error> {
    let mut world = World::confirmed()?;
    assert_eq!(world.run_primary()?, 1, "the answer");
    world.clock.advance(23 * HOUR);
    world.run_new()?;
    let device = world.link.device()?.ok_or(Code::Internal)?;
    assert_eq!(device.id(), DeviceId(2));
    Ok(())
}

#[test]
#[cfg_attr(miri, ignore = "key agreement takes hours there")]
fn an_answer_comes_also_when_the_server_has_lost_its_box() -> Result<(), Error> {
    let mut world = World::confirmed()?;
    assert_eq!(world.run_primary()?, 1, "the answer");
    assert_eq!(world.primary.due_in()?, HOUR);
    world.boxes = Relay::new(SERVER);
    world.clock.advance(HOUR);
    assert_eq!(world.primary.due_in()?, Duration::ZERO);
    assert_eq!(world.run_primary()?, 1, "the answer again");
    world.run_new()?;
    assert!(world.link.device()?.is_some());
    Ok(())
}

#[test]
#[cfg_attr(miri, ignore = "key agreement takes hours there")]
fn an_answer_goes_again_until_the_new_device_has_a_session_and_for_a_day_at_most() -> Result<(), Error> {
    let mut world = World::confirmed()?;
    world.run_primary()?;
    let mut puts = 0;
    for _ in 0..30 {
        world.clock.advance(HOUR);
        puts += world.run_primary()?;
    }
    assert_eq!(puts, 24);

    let mut world = World::confirmed()?;
    world.run_primary()?;
    world.run_new()?;
    let device = world.link.device()?.ok_or(Code::Internal)?;
    let host = Host::new(memory(), key()).with_clock(world.clock.clone());
    let bob = Client::create(host, &UserId::try_from("bob")?, &Server::named(SERVER)?)?;
    world.run(&device)?;
    world.run(&bob)?;
    world.primary.batch_encrypt(&[bob.user().clone()], b"hello", None)?;
    world.run_primary()?;
    world.clock.advance(HOUR);
    assert_eq!(world.run_primary()?, 0, "the transcript has made a session");
    Ok(())
}

#[test]
#[cfg_attr(miri, ignore = "key agreement takes hours there")]
fn a_new_device_looks_every_two_seconds_at_first_and_every_five_minutes_later() -> Result<(), Error> {
    let mut world = World::confirmed()?;
    let (mut looks, mut waits) = (0, Vec::new());
    while !world.link.expired()? {
        looks += world.run_new()?;
        waits.push(world.link.due_in()?.as_secs());
        world.clock.advance(world.link.due_in()?.max(Duration::from_millis(1)));
    }
    assert!((500..700).contains(&looks), "{looks} looks in a day");
    assert!(waits.iter().take(300).all(|wait| *wait == 2), "{waits:?}");
    assert_eq!(waits.iter().skip(300).take(10).copied().collect::<Vec<_>>(), [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    Ok(())
}

#[test]
#[cfg_attr(miri, ignore = "key agreement takes hours there")]
fn while_nothing_can_be_asked_due_in_is_a_day() -> Result<(), Error> {
    let mut world = World::new()?;
    world.primary.link_device(world.link.code())?;
    world.run_primary()?;
    assert_eq!(world.link.due_in()?, Duration::ZERO);
    world.run_new()?;
    assert_eq!((world.link.due_in()?, world.link.next_request()?), (DAY, None), "the app has to confirm");
    world.link.confirm()?;
    assert_eq!(world.link.due_in()?, Duration::ZERO);
    let request = world.link.next_request()?.ok_or(Code::Internal)?;
    assert_eq!(world.link.due_in()?, Duration::from_secs(60), "the request is lent");
    world.link.release(&request.id)?;
    assert_eq!(world.link.due_in()?, Duration::ZERO);
    world.clock.advance(2 * DAY);
    assert_eq!((world.link.due_in()?, world.link.next_request()?), (DAY, None), "expired");

    let world = World::new()?;
    let request = world.link.next_request()?.ok_or(Code::Internal)?;
    let nonsense = answer::Link { found: Some(b"nonsense".to_vec().into()) }.encode()?;
    assert_ne!(world.link.respond(&request.id, 200, &nonsense)?.problem, 0);
    assert_eq!((world.link.due_in()?, world.link.next_request()?), (DAY, None), "over");
    assert_eq!(world.link.expired(), Ok(true), "so an app that waits for its device stops");
    Ok(())
}

#[test]
#[cfg_attr(miri, ignore = "key agreement takes hours there")]
fn a_late_id_is_not_known_and_a_foreign_one_is_refused() -> Result<(), Error> {
    let foreign = Err(Error::of(Code::ForeignRequest, "id"));
    let mut world = World::confirmed()?;
    let of_the_primary = world.primary.next_request()?.ok_or(Code::Internal)?.id;
    let request = world.link.next_request()?.ok_or(Code::Internal)?.id;
    assert_eq!(world.primary.respond(&request, 200, &[]).map(drop), foreign);
    assert!(world.link.respond(&request, 200, &nothing_there()?)?.known);
    let check = |link: &Linking, state: &str| {
        let late = link.respond(&request, 200, &nothing_there()?)?;
        assert_eq!((late, link.release(&request)), (Answered::default(), Ok(())), "{state}");
        for id in [of_the_primary, RequestId([7; 16])] {
            let refused = (link.respond(&id, 200, &[]).map(drop), link.release(&id));
            assert_eq!(refused, (foreign.clone(), foreign.clone()), "{state}");
        }
        Ok::<(), Error>(())
    };
    check(&world.link, "waiting")?;
    world.link = Linking::resume(Host::new(world.store.clone(), key()).with_clock(world.clock.clone()))?;
    check(&world.link, "resumed")?;
    world.primary.release(&of_the_primary)?;
    world.run_primary()?;
    world.run_new()?;
    check(&world.link, "linked")?;
    assert!(world.link.device()?.is_some());
    check(&world.link, "closed")
}
