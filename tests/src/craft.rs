//! Envelopes of a dishonest client: authentic envelopes with any content.

use crate::{Name, World, store_key, user};
use sesame_core::{
    context::Timestamp,
    ids::{DeviceId, Scope},
    internal::{
        model::Peer,
        record::{Directory, Hot, Recipe, Record, SessionCold},
        session::{self, Route, Session},
        store::{Kind, Sealer},
        wire::{content::Prelude, padding},
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
        let meta = *peer.active(scope, Timestamp(self.now)).unwrap();
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
