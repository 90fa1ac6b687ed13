//! Leaves out of a scene what its violation does not need.

use super::{Scene, play};

/// The smallest scene found, by at most so many plays, that still breaks the same rule.
#[must_use]
pub fn shrink(scene: &Scene, rule: &str, plays: usize) -> Scene {
    let (mut best, mut left) = (scene.clone(), plays);
    let mut breaks = |scene: &Scene| {
        left = left.saturating_sub(1);
        play(scene).violation.is_some_and(|violation| violation.rule == rule).then_some(left > 0)
    };
    let mut chunk = best.acts.len().div_ceil(2).max(1);
    loop {
        let (mut at, before) = (0, best.acts.len());
        while at < best.acts.len() {
            let mut shorter = best.clone();
            shorter.acts.drain(at..(at + chunk).min(best.acts.len()));
            match breaks(&shorter) {
                Some(more) => {
                    best = shorter;
                    if !more {
                        return best;
                    }
                }
                None => at += chunk,
            }
        }
        if chunk == 1 && best.acts.len() == before {
            break;
        }
        chunk = (chunk / 2).max(1);
    }
    // Fewer users and devices, from the end.
    for at in (0..best.devices.len()).rev() {
        let mut fewer = best.clone();
        if fewer.devices.len() > 2 {
            fewer.devices.remove(at);
            if breaks(&fewer).is_some() {
                best = fewer;
                continue;
            }
        }
        while best.devices[at] > 1 {
            let mut fewer = best.clone();
            fewer.devices[at] -= 1;
            if breaks(&fewer).is_none() {
                break;
            }
            best = fewer;
        }
    }
    best
}
