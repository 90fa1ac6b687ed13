//! The key derivations of the ratchet (Double Ratchet 5.2; X 1).

use crate::{
    crypto::{aead, kdf, labels, x25519},
    error::Code,
    secret::{Secret, Shared},
    wire::header::Header,
};

/// Root key, chain key and next header key.
pub(super) struct RootStep {
    pub(super) root: Shared<32>,
    pub(super) chain: Shared<32>,
    pub(super) next_header: Shared<32>,
}

/// > KDF_RK_HE(rk, dh_out)
///
/// HKDF with salt rk, IKM dh_out, info `join("sesame/1 root", AD_session)`, 96 bytes.
pub(super) fn root_step(
    root: &Secret<32>,
    ours: &x25519::PrivateKey,
    theirs: &x25519::PublicPoint,
    associated_data: &[u8; 32],
) -> Result<RootStep, Code> {
    let agreed = ours.diffie_hellman_at(theirs)?;
    let keys = kdf::hkdf::<96>(root.expose(), agreed.expose(), &kdf::join(&[labels::ROOT, associated_data]));
    Ok(RootStep { root: keys.part(0).into(), chain: keys.part(1).into(), next_header: keys.part(2).into() })
}

/// > KDF_CK(ck): the next chain key is HMAC(ck, 0x02), the message key HMAC(ck, 0x01)
pub(super) fn chain_step(chain: &Secret<32>) -> (Shared<32>, Shared<32>) {
    (kdf::hmac_key(chain, &[2]).into(), kdf::hmac_key(chain, &[1]).into())
}

/// The next chain key alone.
pub(super) fn chain_step_alone(chain: &Secret<32>) -> Shared<32> {
    kdf::hmac_key(chain, &[2]).into()
}

/// > `chain_tag = HKDF(header key, "tag")[16]`, once per chain
///
/// Salt empty, IKM the header key, info `join("sesame/1 tag")`.
#[must_use]
pub fn chain_tag(header_key: &Secret<32>) -> [u8; 16] {
    *kdf::hkdf::<16>(&[], header_key.expose(), &kdf::join(&[labels::TAG])).expose()
}

/// > HENCRYPT(hk, header)
///
/// AES-256-GCM, nonce `salt[12]`, AD `join("sesame/1 header", AD_session)`.
pub(super) fn seal_header(
    key: &Secret<32>,
    salt: &[u8; 16],
    associated_data: &[u8; 32],
    header: &Header,
) -> Result<Vec<u8>, Code> {
    aead::seal(key, &nonce(salt), &kdf::join(&[labels::HEADER, associated_data]), &header.encode()?)
}

/// > HDECRYPT(hk, ciphertext)
pub(super) fn open_header(
    key: &Secret<32>,
    salt: &[u8; 16],
    associated_data: &[u8; 32],
    sealed: &[u8],
) -> Result<Header, Code> {
    Header::decode(&aead::open(key, &nonce(salt), &kdf::join(&[labels::HEADER, associated_data]), sealed)?)
}

fn nonce(salt: &[u8; 16]) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce.iter_mut().zip(salt).for_each(|(to, from)| *to = *from);
    nonce
}
