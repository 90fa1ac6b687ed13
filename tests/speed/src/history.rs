//! A group with a long history: signed operations by several devices, in a store of Alice's.

use crate::clock::timed;
use sesame_core::{
    context::{Context, Timestamp},
    ids::GroupId,
    internal::{
        group::{operation::Operation, set::Set, view::View},
        keys::{device::DeviceKeys, device_list::VerifiedDeviceList},
        record::{Record, StoredOperation},
        store::{Kind, Sealer},
        wire::group::{Body, Change},
    },
};
use sesame_tests::{ALICE, World, store_key};

/// Enough that none of them comes to the end of its sequence.
const AUTHORS: usize = 6;

/// The group, and the world in which Alice has it.
pub struct History {
    world: World,
    group: GroupId,
    records: Vec<StoredOperation>,
}

impl History {
    /// So many operations, each built upon the one before.
    pub fn of(operations: usize) -> Self {
        let mut world = World::new(operations as u64);
        world.create("alice");
        let names = world.crowd(0..AUTHORS - 1, false);
        world.show_lists(ALICE, &names);
        let group = world.found(ALICE, "Long ago", &names);
        let mut authors: Vec<(DeviceKeys, VerifiedDeviceList)> = Vec::new();
        for name in names.into_iter().chain(["alice"]) {
            authors.push((world.own((name, 1)).keys(), world.list(name)));
        }
        let mut set = world.operations(ALICE, group);
        for number in set.operations().len()..operations {
            let (keys, list) = &authors[number % AUTHORS];
            let change = Change { name: Some(format!("{number}").into_bytes().into()), ..Change::default() };
            let draft = set.draft(&keys.party, Body::Info { change }).unwrap();
            set.insert(Operation::sign(keys, list, draft).unwrap()).unwrap();
        }
        let records: Vec<StoredOperation> = set.operations().iter().map(|operation| operation.record()).collect();
        let (sealer, mut rows) = (Sealer::new(&store_key()), world.dump(ALICE));
        for operation in set.operations() {
            let key = sealer.places.in_group(Kind::Operation, &group, &operation.id.0);
            let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
            let row = sealer.seal(&mut context, &key, &operation.record().encode().unwrap()).unwrap();
            rows.insert(key.to_vec(), row);
        }
        world.hosts[&ALICE].store.inner.restore(rows);
        Self { world, group, records }
    }

    /// The operations are taken out of their stored form into a set, and viewed; gives the microseconds of both.
    pub fn read(&self) -> [f64; 2] {
        let records = self.records.clone();
        let (set, taken) = timed(|| {
            let operations = records.into_iter().map(|record| Operation::from_record(record).unwrap()).collect();
            Set::restore(self.group, operations).unwrap()
        });
        let (view, viewed): (Option<View>, f64) = timed(|| set.view());
        assert_eq!(view.unwrap().members.len(), AUTHORS);
        [taken, viewed]
    }

    /// Alice renames the group, which needs all that there is of it; gives the microseconds.
    pub fn rename(&mut self) -> f64 {
        let Self { world, group, .. } = self;
        let (send, micros) = timed(|| world.in_group(ALICE, *group, |group, context| group.rename(context, "Now")));
        world.withdraw(ALICE, &send.unwrap(), &[]);
        micros
    }
}
