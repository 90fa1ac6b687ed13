//! Every domain label of the protocol, once. A label is ASCII, unique, and no label is another's prefix followed by data:
//! what follows a label is joined by [`super::kdf::join`], which carries lengths.

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: &[u8] = $text;)*
        /// Every label, for the test that finds two alike.
        pub const ALL: &[&[u8]] = &[$($name),*];
    };
}

labels! {
    /// Pair keys: mask, gate, control (X 1).
    PAIR = b"sesame/1 pair";
    /// Chain tag from a header key (X 1).
    TAG = b"sesame/1 tag";
    /// Header encryption: associated data of HENCRYPT (Double Ratchet 4.1).
    HEADER = b"sesame/1 header";
    /// Key of a linking answer (X 7).
    LINK = b"sesame/1 link";
    /// Key of a record's place in the store.
    STORE_PLACE = b"sesame/1 store place";
    /// Key under which records are sealed.
    STORE_SEAL = b"sesame/1 store seal";
    /// Tells the right store key from a wrong one.
    STORE_CHECK = b"sesame/1 store check";
    /// Safety number of two users.
    SAFETY_NUMBER = b"sesame/1 safety number";
    /// Message body: key, nonce, commitment (X 2).
    BODY = b"sesame/1 body";
    /// Associated data of a session (X 2).
    SESSION = b"sesame/1 session";
    /// SessionID (X 2).
    SESSION_ID = b"sesame/1 sid";
    /// Shared secret of PQXDH (PQXDH 3.3).
    PQXDH = b"sesame/1 pqxdh X25519 SHA-256 ML-KEM-1024";
    /// Root key step (Double Ratchet 4.3, KDF_RK_HE).
    ROOT = b"sesame/1 root";
    /// Signature over a signed prekey.
    SIGNED_PRE_KEY = b"sesame/1 sign signed prekey";
    /// Signature over a one-time curve prekey.
    ONE_TIME_CURVE = b"sesame/1 sign one-time prekey";
    /// Signature over a one-time KEM prekey.
    ONE_TIME_KEM = b"sesame/1 sign one-time kem prekey";
    /// Signature over a last-resort KEM prekey.
    LAST_RESORT_KEM = b"sesame/1 sign last-resort kem prekey";
    /// Shared secret of a scope session (X 4).
    OPENING = b"sesame/1 opening";
    /// What a nested message's body is bound to in the place of an envelope's head (X 4).
    NESTED = b"sesame/1 nested";
    /// GroupID (X 11).
    GROUP_ID = b"sesame/1 group id";
    /// OperationID (X 11).
    OPERATION_ID = b"sesame/1 operation id";
    /// Digest of a group's operations (D6).
    GROUP_DIGEST = b"sesame/1 group digest";
    /// Signature over a group operation (X 11).
    GROUP_OPERATION = b"sesame/1 sign group operation";
    /// Signature over a device list (X 5).
    DEVICE_LIST = b"sesame/1 sign device list";
}

#[cfg(test)]
mod tests {
    #[test]
    fn labels_are_unique() {
        let unique: std::collections::BTreeSet<_> = super::ALL.iter().collect();
        assert_eq!(unique.len(), super::ALL.len());
    }
}
