//! What sessions of one device cost together (Sesame 3.2; A30).

use crate::{limits::MAX_SKIPPED_PER_DEVICE, model::SessionMeta};

/// The sessions that must give up their skipped keys so that the device stays within its limit, lowest
/// generation first. `counts` holds the number of stored keys of each session.
#[must_use]
pub fn skipped_surplus(counts: &[(SessionMeta, usize)]) -> Vec<SessionMeta> {
    let mut counts: Vec<&(SessionMeta, usize)> = counts.iter().filter(|(_, keys)| *keys > 0).collect();
    counts.sort_by_key(|(meta, _)| meta.generation);
    let mut total: usize = counts.iter().map(|(_, keys)| keys).sum();
    let mut surplus = Vec::new();
    for (meta, keys) in counts {
        if total <= MAX_SKIPPED_PER_DEVICE {
            break;
        }
        total = total.saturating_sub(*keys);
        surplus.push(*meta);
    }
    surplus
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Scope, SessionId};

    fn session(generation: u64) -> SessionMeta {
        SessionMeta {
            id: SessionId([1; 32]),
            scope: Scope::Direct,
            generation,
            created_at: 0,
            ephemeral_key: [0; 32],
            initiating: false,
            answered_at: None,
            demoted: false,
            reset: false,
        }
    }

    #[test]
    fn a30_skipped_keys_of_one_device_stay_within_256_kib_and_the_lowest_session_pays() {
        let counts: Vec<(SessionMeta, usize)> = [5, 3, 9, 7].map(|generation| (session(generation), 2_000)).into();
        let gone: Vec<u64> = skipped_surplus(&counts).iter().map(|meta| meta.generation).collect();
        assert_eq!(gone, [3], "8,000 keys are about 900 too many");
        assert!(skipped_surplus(&counts[..3]).is_empty());
    }
}
