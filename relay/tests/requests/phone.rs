//! A small world: one server, one clock, and phones that sign requests. They make real keys and lists, but no ciphertexts.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use sesame_core::limits::MAX_HASHES;
use sesame_core::{
    context::{Context, Timestamp},
    error::Code,
    event::{Batch, Outgoing, Skipped},
    ids::{DeviceId, UserId},
    internal::{
        crypto::{ed25519::SigningKey, x25519},
        keys::{
            device::DeviceKeys,
            device_list::{Listing, VerifiedDeviceList, sign_as},
            party::Party,
            pre_keys,
        },
        wire::{
            answer::{Problem, Stock, Submit, SubmitResult},
            auth::{Auth, Caller, Signed},
            bundle::Publication,
            envelope::{Address, Envelope, Head, Route},
            request::{self, Path},
        },
    },
};
use sesame_relay::{Relay, Request, Response};

pub(crate) const SERVER: &str = "chat.example";
pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const DAY: u64 = 24 * 60 * MINUTE;

/// A server, a clock and chance.
pub(crate) struct World {
    pub(crate) relay: Relay,
    pub(crate) now: Timestamp,
    pub(crate) rng: ChaCha20Rng,
}

/// A device of a user.
#[derive(Clone)]
pub(crate) struct Phone {
    pub(crate) keys: DeviceKeys,
}

/// A user with an account key, and the lists that it signed.
pub(crate) struct Account {
    pub(crate) user: UserId,
    pub(crate) key: SigningKey,
    pub(crate) lists: Vec<VerifiedDeviceList>,
    pub(crate) phones: Vec<Phone>,
}

/// What an upload has besides the names and keys of its phone.
#[derive(Default)]
pub(crate) struct Upload {
    pub(crate) list: Vec<u8>,
    /// When the lasting prekeys were made.
    pub(crate) lasting: Option<u64>,
    pub(crate) one_time: Vec<u32>,
    pub(crate) token: Vec<u8>,
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::try_from(name).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let rng = ChaCha20Rng::seed_from_u64(13);
        Self { relay: Relay::new(SERVER), now: Timestamp(1_000 * DAY), rng }
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.now.0 += ms;
    }

    fn context(&mut self) -> Context<'_> {
        Context { now: self.now, rng: &mut self.rng }
    }

    pub(crate) fn account(&mut self, name: &str) -> Account {
        let key = SigningKey::generate(&mut self.context());
        Account { user: user(name), key, lists: Vec::new(), phones: Vec::new() }
    }

    /// Makes a device. No list names it yet.
    pub(crate) fn phone(&mut self, account: &Account, device: u32) -> Phone {
        let mut context = self.context();
        let (signing, identity) = (SigningKey::generate(&mut context), x25519::PrivateKey::generate(&mut context));
        let account_key = sesame_core::ids::AccountKey(*account.key.verifying_key().as_bytes());
        Phone { keys: DeviceKeys::new(account.user.clone(), DeviceId(device), account_key, signing, identity) }
    }

    /// Signs the next list of an account over these devices.
    pub(crate) fn list(&mut self, account: &mut Account, phones: Vec<Phone>) -> Vec<u8> {
        let devices: Vec<Listing> = phones.iter().map(|phone| listing(&phone.keys.party)).collect();
        let before = account.lists.last();
        let primary = (devices[0].id, self.now);
        let mut list = sign_as(&account.key, &account.user, before.map(|list| &list.list), &devices, primary).unwrap();
        if let Some(before) = before {
            let mut chain = before.branch.clone();
            chain.join(&list.branch, usize::MAX);
            list.branch = chain;
        }
        let shown = list.shown(MAX_HASHES).unwrap();
        account.lists.push(list);
        account.phones = phones;
        shown
    }

    /// An account with devices 1 to `count`, all of which the server knows.
    pub(crate) fn registered(&mut self, name: &str, count: u32) -> Account {
        let mut account = self.account(name);
        let phones = (1..=count).map(|device| self.phone(&account, device)).collect();
        self.follow(&mut account, phones);
        account
    }

    /// Signs a list over these devices, and uploads it.
    pub(crate) fn follow(&mut self, account: &mut Account, phones: Vec<Phone>) {
        let list = self.list(account, phones);
        let first = account.phones[0].clone();
        let response = self.upload(&first, Upload { list, ..Upload::default() });
        assert_eq!(response.status, 200);
    }

    pub(crate) fn publication(&mut self, phone: &Phone, upload: Upload) -> Vec<u8> {
        let Upload { list, lasting, one_time, token } = upload;
        let Party { user, device, signing_key, identity_key, .. } = &phone.keys.party;
        let lasting = lasting.map(|at| {
            let mut context = Context { now: Timestamp(at), rng: &mut self.rng };
            pre_keys::lasting(&phone.keys, &mut context, 1).1
        });
        let mut context = Context { now: self.now, rng: &mut self.rng };
        let (curves, kems): (Vec<_>, Vec<_>) = one_time
            .into_iter()
            .map(|id| pre_keys::one_time(&phone.keys, &mut context, id))
            .map(|(_, curve, kem)| (curve, kem))
            .unzip();
        let form = Publication {
            version: 1,
            user: user.as_bytes().to_vec().into(),
            device: device.0,
            device_list: list.into(),
            signing_key: *signing_key.as_bytes(),
            identity_key: *identity_key.as_bytes(),
            lasting,
            one_time: curves.into(),
            kem_one_time: kems.into(),
        };
        let publication = form.encode().unwrap().into();
        request::Publish { token: token.into(), publication }.encode().unwrap()
    }

    pub(crate) fn upload(&mut self, phone: &Phone, upload: Upload) -> Response {
        let body = self.publication(phone, upload);
        self.ask(phone, Path::Publication, &body)
    }

    /// The header with which a phone signs a request at some time.
    pub(crate) fn header(&mut self, phone: &Phone, signed: &Signed<'_>, at: u64) -> String {
        let Party { user, device, .. } = phone.keys.party.clone();
        let mut nonce = [0; 16];
        self.rng.fill_bytes(&mut nonce);
        Auth::sign(&phone.keys.signing, Caller { user, device, time: at, nonce }, signed).text().unwrap()
    }

    pub(crate) fn ask(&mut self, phone: &Phone, path: Path, body: &[u8]) -> Response {
        let header = self.header(phone, &Signed { audience: SERVER, path, body }, self.now.0);
        self.perform(path, Some(&header), body)
    }

    pub(crate) fn perform(&mut self, path: Path, auth: Option<&str>, body: &[u8]) -> Response {
        self.relay.perform(self.now, &Request { path: path.text(), auth, body })
    }

    /// Submits one batch.
    pub(crate) fn submit(&mut self, phone: &Phone, batch: &Batch) -> SubmitResult {
        let body = submission(batch);
        let response = self.ask(phone, Path::Submit, &body);
        assert_eq!(response.status, 200);
        Submit::decode(&response.body).unwrap().results.into_vec().remove(0)
    }

    /// An envelope from one phone to another, with a fresh salt.
    pub(crate) fn envelope(&mut self, from: &Phone, to: &Phone) -> Vec<u8> {
        let address = |party: &Party| Address { user: party.user.as_bytes().to_vec().into(), device: party.device.0 };
        let mut salt = [0; 16];
        self.rng.fill_bytes(&mut salt);
        let head = Head {
            version: 1,
            suite: 1,
            sender: address(&from.keys.party),
            recipient: address(&to.keys.party),
            salt,
            route: Route::Ordinary { locator: [3; 16] },
            header: vec![4; 58].into(),
        };
        Envelope { head, gate: [5; 16], commitment: [6; 32], body: vec![7; 768 + 16].into() }.encode().unwrap()
    }

    /// A batch with an envelope for each of these phones of one user.
    pub(crate) fn batch(&mut self, from: &Phone, to: &[Phone]) -> Batch {
        let mut envelopes = Vec::new();
        for phone in to {
            let party = &phone.keys.party;
            let envelope = self.envelope(from, phone);
            envelopes.push(Outgoing { device: party.device, fingerprint: party.fingerprint(), envelope });
        }
        Batch { user: to[0].keys.party.user.clone(), targeted: false, envelopes, skips: vec![] }
    }

    /// The whole mailbox of a phone.
    pub(crate) fn mailbox(&self, phone: &Phone) -> Vec<Vec<u8>> {
        let Party { user, device, .. } = &phone.keys.party;
        self.relay.fetch((user, *device), usize::MAX).into_iter().map(|mail| mail.envelope).collect()
    }
}

pub(crate) fn skip(phone: &Phone) -> Skipped {
    let party = &phone.keys.party;
    Skipped { device: party.device, fingerprint: party.fingerprint(), reason: Code::BundleExpired.number() }
}

pub(crate) fn submission(batch: &Batch) -> Vec<u8> {
    request::Submit { batches: vec![request::Batch::from(batch.clone())].into() }.encode().unwrap()
}

pub(crate) fn stock(response: &Response) -> Stock {
    assert_eq!(response.status, 200);
    Stock::decode(&response.body).unwrap()
}

pub(crate) fn problem(response: &Response, status: u16) -> Problem {
    assert_eq!(response.status, status);
    Problem::decode(&response.body).unwrap()
}

fn listing(party: &Party) -> Listing {
    Listing {
        id: party.device,
        signing_key: *party.signing_key.as_bytes(),
        identity_key: *party.identity_key.as_bytes(),
        added_at_epoch: 1,
    }
}
