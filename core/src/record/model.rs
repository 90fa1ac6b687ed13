//! The forms of users, devices, sessions and groups.

use super::{Record, form::stored};
use crate::{
    clock::{AgeClock, Doubt},
    ids::Scope,
    keys::{
        chain::Chain,
        device_list::{List, Listing},
    },
    model::{Claim, Fork, GroupRecord, Invitation, Lag, Member, Peer, Pushed, SessionMeta, User},
};

impl Record for AgeClock {}
impl Record for GroupRecord {}
impl Record for Peer {}
impl Record for Chain {
    // The server has the hashes as well.
    const SPARE: bool = true;
}
impl Record for User {}

stored! { enum Scope { 0 = Direct, 1 = Group(kind, id) } }

stored! {
    struct SessionMeta {
        id,
        scope,
        generation,
        created_at,
        ephemeral_key,
        initiating,
        answered_at,
        demoted,
        reset,
    }
}

stored! {
    struct Peer {
        user,
        device,
        account_key,
        signing_key,
        identity_key,
        sending_pair as secret,
        receiving_pair as secret,
        stale_since,
        knows_epoch,
        floors,
        sequences,
        sessions,
    }
}

stored! {
    struct User {
        user,
        account_key,
        verified,
        list,
        claimed_key,
        fork,
        rejected,
        asked_at,
        stale_since,
    }
}

stored! { struct Fork { other, list, branch, since, told, served } }

stored! { struct Chain { first, history, hashes } }

stored! { struct List { epoch, hash, issued_at, devices, last_id, primary, history } }

stored! { struct Listing { id, signing_key, identity_key, added_at_epoch } }

stored! {
    struct GroupRecord {
        scope,
        standing,
        members,
        former,
        info,
        claim,
        left_at,
        lags,
        pushed,
        owed,
        invitation,
        declined,
        full,
    }
}

stored! { struct Invitation { user, device, at } }

stored! { struct Member { user, account_keys } }

stored! { struct Claim { count, digest } }

stored! { struct Lag { user, device, claim, asked, told, served } }

stored! { struct Pushed { user, device, since, times } }

stored! { struct AgeClock { age, mark, debt, behind, doubt } }

stored! { struct Doubt { at, last, stood } }
