//! Every domain label of the protocol. A label is ASCII and unique. [`super::kdf::join`] writes lengths, so no
//! label followed by data can be read as another label.

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: &[u8] = $text;)*
        /// Every label, for the test that finds two alike.
        pub const ALL: &[&[u8]] = &[$($name),*];
    };
}

labels! {
    /// Pair keys: mask, gate and control (X 1).
    PAIR = b"sesame/1 pair";
    /// The chain tag of a header key (X 1).
    TAG = b"sesame/1 tag";
    /// Header encryption: associated data of HENCRYPT (Double Ratchet 4.1).
    HEADER = b"sesame/1 header";
    /// The key of retries: of their bodies, and of the bytes in the place of a header (X 8).
    RETRY = b"sesame/1 retry";
    /// The key of a linking answer (X 7).
    LINK = b"sesame/1 link";
    /// The checksum of a linking code (X 7).
    LINK_CODE = b"sesame/1 link code";
    /// The box at the server through which a device is linked (X 7).
    LINK_BOX = b"sesame/1 link box";
    /// The key of a linking hello (X 7).
    LINK_HELLO = b"sesame/1 link hello";
    /// The digits that both sides of a link show (X 7).
    LINK_DIGITS = b"sesame/1 link digits";
    /// The digits that both sides of a hand-over show (X 7).
    HANDOVER_DIGITS = b"sesame/1 handover digits";
    /// The key that derives the keys of rows in the store.
    STORE_PLACE = b"sesame/1 store place";
    /// The key from which the keys of sealed records are derived.
    STORE_SEAL = b"sesame/1 store seal";
    /// The check that tells the right store key from a wrong one.
    STORE_CHECK = b"sesame/1 store check";
    /// The safety number of two users.
    SAFETY_NUMBER = b"sesame/1 safety number";
    /// The safety number of two users as a code to scan.
    SAFETY_CODE = b"sesame/1 safety code";
    /// Message body: key, nonce and commitment (X 2).
    BODY = b"sesame/1 body";
    /// AD_session, the associated data of a session (X 2).
    SESSION = b"sesame/1 session";
    /// SessionID (X 2).
    SESSION_ID = b"sesame/1 sid";
    /// The shared secret of PQXDH (PQXDH 3.3).
    PQXDH = b"sesame/1 pqxdh X25519 SHA-256 ML-KEM-1024";
    /// The root key step (Double Ratchet 4.3, KDF_RK_HE).
    ROOT = b"sesame/1 root";
    /// The history of a user's device lists (X 5).
    LIST_HISTORY = b"sesame/1 list history";
    /// Signature over a signed prekey.
    SIGNED_PRE_KEY = b"sesame/1 sign signed prekey";
    /// Signature over a one-time curve prekey.
    ONE_TIME_CURVE = b"sesame/1 sign one-time prekey";
    /// Signature over a one-time KEM prekey.
    ONE_TIME_KEM = b"sesame/1 sign one-time kem prekey";
    /// Signature over a last-resort KEM prekey.
    LAST_RESORT_KEM = b"sesame/1 sign last-resort kem prekey";
    /// The shared secret of a session in a group's scope (X 4).
    OPENING = b"sesame/1 opening";
    /// The bytes that a nested body is bound to, in the place of an envelope's head (X 4).
    NESTED = b"sesame/1 nested";
    /// GroupID (X 11).
    GROUP_ID = b"sesame/1 group id";
    /// OperationID (X 11).
    OPERATION_ID = b"sesame/1 operation id";
    /// The digest of a group's operations (D6).
    GROUP_DIGEST = b"sesame/1 group digest";
    /// Signature over a group operation (X 11).
    GROUP_OPERATION = b"sesame/1 sign group operation";
    /// A device's fingerprint (X 6).
    DEVICE = b"sesame/1 device";
    /// Signature over a device list (X 5).
    DEVICE_LIST = b"sesame/1 sign device list";
    /// Signature over a request to the server.
    REQUEST = b"sesame/1 sign request";
    /// Signature over the deletion of an account.
    DELETE = b"sesame/1 sign delete";
    /// The name under which the server remembers a batch that it took (X 6).
    RECEIPT = b"sesame/1 receipt";
}

#[cfg(test)]
mod tests {
    #[test]
    fn labels_are_unique() {
        let unique: std::collections::BTreeSet<_> = super::ALL.iter().collect();
        assert_eq!(unique.len(), super::ALL.len());
    }
}
