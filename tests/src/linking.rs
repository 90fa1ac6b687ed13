//! Linking by hand: a new device that is not in the world yet, and the boxes of a server.

use crate::{ALICE, Name, World, server, store::FaultyStore, store_key};
use sesame_core::{
    context::{Context, Timestamp},
    device::{Device, Linking},
    error::Code,
    event::{LinkLeg, LinkPost, LinkWait},
    ids::{DeviceId, LinkId},
    internal::{
        record::{OfferedLink, PendingLink, Record},
        store::{Kind, Places, Sealer},
    },
    store::MemoryStore,
};
use std::{collections::BTreeMap, sync::Arc};

/// A new device on its way.
pub struct New {
    /// Its store.
    pub store: Arc<FaultyStore>,
    /// The link.
    pub linking: Linking,
}

impl New {
    /// The record of the link.
    #[must_use]
    pub fn pending(&self) -> PendingLink {
        let key = Places::only(Kind::Linking);
        let plain = Sealer::new(&store_key()).open(&key, &self.store.inner.dump()[&*key]).unwrap();
        PendingLink::decode(&plain).unwrap()
    }

    /// Takes the hello that the box holds, and gives the digits.
    ///
    /// # Errors
    /// The errors of [`Linking::hear_hello`].
    pub fn hear(&self, world: &mut World, boxes: &Boxes) -> Result<String, Code> {
        let wait = self.linking.next_leg().unwrap().unwrap();
        assert_eq!(wait.leg, LinkLeg::Hello);
        self.linking.hear_hello(&mut world.outside(), &boxes.get(wait).unwrap()).map_err(|error| error.code)
    }
}

/// The boxes of a server: the first put wins.
#[derive(Default)]
pub struct Boxes(BTreeMap<(LinkId, u8), Vec<u8>>);

impl Boxes {
    /// Puts a leg, and gives what lies there then.
    pub fn put(&mut self, post: &LinkPost) -> Vec<u8> {
        self.0.entry((post.id, post.leg as u8)).or_insert_with(|| post.bytes.clone()).clone()
    }

    /// What lies in a leg.
    #[must_use]
    pub fn get(&self, wait: LinkWait) -> Option<Vec<u8>> {
        self.0.get(&(wait.id, wait.leg as u8)).cloned()
    }
}

impl World {
    /// The context of a call on a device that is not in the world yet.
    pub fn outside(&mut self) -> Context<'_> {
        Context { now: Timestamp(self.now), rng: &mut self.rng }
    }

    /// A new device with its code.
    pub fn begin_link(&mut self) -> New {
        let store = Arc::new(FaultyStore::new(MemoryStore::new()));
        let linking = Device::begin_link(store.clone(), &store_key(), &mut self.outside(), &server()).unwrap();
        New { store, linking }
    }

    /// The primary reads a code: the link and its digits.
    ///
    /// # Errors
    /// The errors of [`Device::link_device`].
    pub fn link_device(&mut self, name: Name, code: &str) -> Result<(LinkId, String), Code> {
        let view = self.with(name, |device, context| device.link_device(context, code)).map_err(|error| error.code)?;
        Ok((view.id, view.digits))
    }

    /// The primary confirms a link.
    ///
    /// # Errors
    /// The errors of [`Device::confirm_link`].
    pub fn confirm_link(&mut self, name: Name, id: &LinkId) -> Result<DeviceId, Code> {
        self.with(name, |device, context| device.confirm_link(context, id)).map_err(|error| error.code)
    }

    /// What the primary has still to put.
    pub fn link_posts(&mut self, name: Name) -> Vec<LinkPost> {
        self.with(name, |device, context| device.link_posts(context)).unwrap()
    }

    /// A leg of a link, due or not.
    pub fn link_leg(&mut self, name: Name, id: &LinkId, leg: LinkLeg) -> Vec<u8> {
        self.with(name, |device, context| device.link_leg(context, id, leg)).unwrap().unwrap()
    }

    /// Puts everything that is due: for each leg, whether it was not somebody else's already.
    pub fn put_all(&mut self, name: Name, boxes: &mut Boxes) -> Vec<bool> {
        let mut ours = Vec::new();
        for post in self.link_posts(name) {
            let lies = boxes.put(&post);
            ours.push(self.with(name, |d, c| d.link_posted(c, &post.id, post.leg, &lies)).unwrap());
        }
        ours
    }

    /// A link in which both sides have confirmed, with the answer that Alice's primary has ready.
    pub fn confirmed_link(&mut self) -> (New, LinkId, Vec<u8>) {
        let new = self.begin_link();
        let (id, digits) = self.link_device(ALICE, new.linking.code()).unwrap();
        let hello = self.link_leg(ALICE, &id, LinkLeg::Hello);
        assert_eq!(new.linking.hear_hello(&mut self.outside(), &hello).unwrap(), digits);
        new.linking.confirm(&mut self.outside()).unwrap();
        self.confirm_link(ALICE, &id).unwrap();
        let answer = self.link_leg(ALICE, &id, LinkLeg::Answer);
        (new, id, answer)
    }

    /// The links in a primary's store.
    #[must_use]
    pub fn offered_links(&self, name: Name) -> Vec<OfferedLink> {
        let sealer = Sealer::new(&store_key());
        let rows = self.dump(name);
        let rows = rows.iter().filter(|(key, _)| key[0] == Kind::OfferedLink as u8);
        rows.map(|(key, row)| OfferedLink::decode(&sealer.open(key, row).unwrap()).unwrap()).collect()
    }
}
