//! Envelopes of a dishonest client: authentic envelopes with any content.

use crate::{Name, World, store_key, user};
use sesame_core::{
    context::{Context, Timestamp},
    ids::{DeviceId, Scope},
    internal::{
        clock::{Age, Moment},
        keys::{bundle::VerifiedBundle, device::DeviceKeys, device_list::VerifiedDeviceList, party::DecodedParty},
        model::Peer,
        record::{Directory, Hot, Recipe, Record, SessionCold},
        session::{self, Route, Session},
        store::{Kind, Sealer},
        wire::{
            bundle::Bundle,
            content::{Body, ListClaim, Prelude, Stamp},
            padding,
        },
    },
};

impl World {
    /// The record of a device in the store of another device.
    #[must_use]
    pub fn peer(&self, of: Name, with: Name) -> Peer {
        let sealer = Sealer::new(&store_key());
        let key = sealer.places.device(Kind::Peer, &user(with.0), DeviceId(with.1));
        Peer::decode(&sealer.open(&key, &self.dump(of)[&*key]).unwrap()).unwrap()
    }

    /// The active session of a device in a scope, as a thief of that session's rows has it.
    #[must_use]
    pub fn stolen_session(&self, of: Name, with: Name, scope: Scope) -> Session {
        let sealer = Sealer::new(&store_key());
        let (dump, peer) = (self.dump(of), self.peer(of, with));
        let meta = *peer.active(scope, Moment::true_at(Timestamp(self.now))).unwrap();
        let open = |kind| {
            let key = sealer.places.session(kind, &peer, meta.id);
            sealer.open(&key, &dump[&*key]).unwrap()
        };
        let cold = SessionCold::decode(&open(Kind::Session)).unwrap();
        let hot = Hot::decode(&open(Kind::Chains)).unwrap();
        Session::from_parts(meta, &cold, hot, Directory::default()).unwrap()
    }

    /// An honest prelude with this sequence number.
    #[must_use]
    pub fn prelude(&self, from: Name, to: Name, sequence: u64) -> Prelude {
        let (my_list, your_list) = (self.list(from.0).list.claim(), self.list(to.0).list.claim());
        Prelude { version: 1, my_list, your_list, list: vec![].into(), sequence }
    }

    /// An envelope on a session of the sender, with these bytes as content. The sender's store does not change.
    #[must_use]
    pub fn craft(&self, from: Name, to: Name, scope: Scope, salt: [u8; 16], content: &[u8]) -> Vec<u8> {
        let recipe = self.recipe(from, to, &self.stolen_session(from, to, scope), salt);
        session::envelope(&recipe, [content, &[]], 0, padding::room(0)).unwrap()
    }

    /// A message of an initiating session that a copy of the sender's device could make: with any generation, and any list.
    ///
    /// # Panics
    /// If the server has no bundle of the recipient.
    pub fn initiation(&mut self, from: Name, to: Name, generation: u64, salt: u8, list: &[u8]) -> Vec<u8> {
        let keys = self.own(from).keys();
        self.initiation_by(&keys, to, generation, salt, list)
    }

    /// The same by a device with these keys, of whom the server need know nothing.
    ///
    /// # Panics
    /// If the server has no bundle of the recipient.
    pub fn initiation_by(&mut self, keys: &DeviceKeys, to: Name, generation: u64, salt: u8, list: &[u8]) -> Vec<u8> {
        self.initiation_under(keys, to, generation, [salt; 16], list)
    }

    /// The same under any salt.
    ///
    /// # Panics
    /// If the server has no bundle of the recipient.
    pub fn initiation_under(
        &mut self,
        keys: &DeviceKeys,
        to: Name,
        generation: u64,
        salt: [u8; 16],
        list: &[u8],
    ) -> Vec<u8> {
        let list_of = self.list(to.0);
        let listed = *list_of.list.device(DeviceId(to.1)).unwrap();
        let theirs = DecodedParty::of(listed.party(&user(to.0), list_of.account_key)).unwrap();
        let bundle = Bundle::decode(&self.relay.bundle(&user(to.0), DeviceId(to.1)).unwrap()).unwrap();
        let now = Timestamp(self.now);
        let bundle = VerifiedBundle::verify(&bundle, &theirs, now).unwrap();
        let mut context = Context { now, rng: &mut self.rng };
        let session = session::initiate(keys, &mut context, &bundle, (generation, Age(self.now))).unwrap();
        let stamp = Stamp { content_id: salt, sent_at: self.now };
        let body = Body::Message { stamp, payload: vec![salt[0]].into() };
        let any = ListClaim { epoch: 1, hash: [0; 16] };
        let my_list = VerifiedDeviceList::verify(list).map_or(any, |list| list.list.claim());
        let prelude =
            Prelude { version: 1, my_list, your_list: list_of.list.claim(), list: list.to_vec().into(), sequence: 1 };
        let content = [prelude.encode().unwrap(), body.encode().unwrap()].concat();
        let (sending, _) = keys.pair(&theirs).unwrap();
        let (us, them) = ((&keys.party.user, keys.party.device), (&theirs.party().user, theirs.party().device));
        let route = Route { sender: us, recipient: them, pair: &sending };
        let recipe = session::seal(session.outgoing(), salt, route).unwrap().recipe;
        session::envelope(&recipe, [&content, &[]], 1, padding::room(list.len())).unwrap()
    }

    /// An envelope on this session of the sender, without its content.
    #[must_use]
    pub fn recipe(&self, from: Name, to: Name, session: &Session, salt: [u8; 16]) -> Recipe {
        let (keys, peer) = (self.own(from).keys(), self.peer(from, to));
        let (recipient, pair) = (peer.party(), peer.sending());
        let (us, them) = ((&keys.party.user, keys.party.device), (&recipient.user, recipient.device));
        let route = Route { sender: us, recipient: them, pair: &pair };
        session::seal(session.outgoing(), salt, route).unwrap().recipe
    }
}
