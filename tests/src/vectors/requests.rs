//! The bytes of requests and answers (`docs/wire.md` 13), from keys of their own, so that nothing else in the vectors moves them.

use super::hex;
use crate::user;
use serde_json::{Value, json};
use sesame_core::{
    context::Timestamp,
    ids::{AccountKey, DeviceId, Fingerprint},
    internal::{
        crypto::{ed25519::SigningKey, x25519},
        keys::device::DeviceKeys,
        wire::{
            answer::{self, Delivered, Problem, Stock, SubmitResult},
            auth::{Auth, Caller, Signed},
            request::{self, Asked, Batch, Content, Delete, Leg, Named, Path, Wanted},
        },
    },
    secret::Secret,
};

const AUDIENCE: &str = "chat.example";
const STOCK: Stock = Stock { one_time: 39, wanted: 40, generation: 2 };

fn seed(byte: u8) -> Secret<32> {
    Secret::init_with(|seed| seed.fill(byte))
}

/// A batch with an envelope and a skip. The envelope is three bytes, which no server takes.
fn batch() -> Batch {
    let named = |device, content| Named { device: DeviceId(device), fingerprint: Fingerprint([7; 16]), content };
    let envelope = named(1, Content::Envelope(vec![1, 2, 3].into()));
    let skip = named(4, Content::Skip { reason: 305 });
    Batch { user: user("bob"), targeted: 0, named: vec![envelope, skip].into() }
}

fn results() -> Vec<SubmitResult> {
    let devices = |ids: &[u32]| ids.iter().map(|id| DeviceId(*id)).collect::<Vec<_>>().into();
    vec![
        SubmitResult::Taken { id: 258, list: [1; 32] },
        SubmitResult::TakenBefore { id: 257, list: [2; 32] },
        SubmitResult::Stale {
            list: vec![3; 5].into(),
            missing: devices(&[1, 2]),
            gone: devices(&[3]),
            changed: devices(&[]),
        },
        SubmitResult::NoSuchUser,
        SubmitResult::SenderNotListed,
        SubmitResult::Malformed,
        SubmitResult::Full { devices: devices(&[9]) },
        SubmitResult::Later { seconds: 60 },
        SubmitResult::Policy,
    ]
}

pub(super) fn requests() -> Value {
    let (account, signing) = (SigningKey::from_seed(seed(1)), SigningKey::from_seed(seed(2)));
    let account_key = AccountKey(*account.verifying_key().as_bytes());
    let identity = x25519::PrivateKey::from_secret(seed(3));
    let keys = DeviceKeys::new(user("alice"), DeviceId(3), account_key, signing.clone(), identity);
    let submit = request::Submit { batches: vec![batch()].into() }.encode().unwrap();
    let caller = Caller { user: user("alice"), device: DeviceId(3), time: 1_700_000_000_123, nonce: [9; 16] };
    let header = Auth::sign(&signing, caller, &Signed { audience: AUDIENCE, path: Path::Submit, body: &submit });

    let mail = Delivered { id: 258, envelope: vec![1, 2, 3].into() };
    let link = |put: Option<Vec<u8>>| request::Link { box_name: [5; 16], leg: Leg::Hello, put: put.map(Into::into) };
    let asked = vec![Asked { user: user("bob"), from: 0 }, Asked { user: user("jen"), from: 258 }];
    let wanted = Wanted { user: user("bob"), device: DeviceId(4) };
    let end = Delete::sign(&account, AUDIENCE, user("alice"), Timestamp(1_700_000_000_123));
    json!({
        "audience": AUDIENCE,
        "account_seed": hex(seed(1).expose()),
        "signing_seed": hex(seed(2).expose()),
        "identity_private": hex(seed(3).expose()),
        "fingerprint": hex(&keys.party.fingerprint().0),
        "receipt": hex(&batch().receipt(&user("alice"), DeviceId(3)).unwrap()),
        "auth": header.text().unwrap(),
        "asked": {
            "/v1/publication": hex(&request::Publish { token: vec![1].into(), publication: vec![2, 3].into() }.encode().unwrap()),
            "/v1/lists": hex(&request::Lists { users: asked.into() }.encode().unwrap()),
            "/v1/bundles": hex(&request::Bundles { devices: vec![wanted].into() }.encode().unwrap()),
            "/v1/submit": hex(&submit),
            "/v1/mail": hex(&request::Mail { after: 257, limit: 256 }.encode().unwrap()),
            "/v1/confirm": hex(&request::Confirm { through: 257, ids: vec![259, 300].into() }.encode().unwrap()),
            "/v1/push": hex(&request::Push { value: vec![6; 3].into() }.encode().unwrap()),
            "/v1/delete": hex(&end.encode().unwrap()),
            "/v1/link": hex(&link(Some(vec![8; 4])).encode().unwrap()),
        },
        "answered": {
            "/v1/publication": hex(&STOCK.encode().unwrap()),
            "/v1/lists": hex(&answer::Lists { lists: vec![None, Some(vec![4; 2].into())].into() }.encode().unwrap()),
            "/v1/bundles": hex(&answer::Bundles { bundles: vec![Some(vec![5; 3].into())].into() }.encode().unwrap()),
            "/v1/submit": hex(&answer::Submit { results: results().into() }.encode().unwrap()),
            "/v1/mail": hex(&answer::Mail { mails: vec![mail].into(), left: 7, stock: STOCK }.encode().unwrap()),
            "/v1/link": hex(&answer::Link { found: Some(vec![8; 4].into()) }.encode().unwrap()),
        },
        "problem": hex(
            &Problem { code: 325, retry_after_ms: 1_000, time: 1_700_000_000_123, list: vec![3; 5].into() }.encode().unwrap()
        ),
    })
}
