//! A scene from a seed.

use super::{Act, Scene, Trouble};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};

impl Scene {
    /// The scene of a seed: mostly two to five users with one to three devices, sometimes up to fifty users or five devices, and 20 to 80 acts.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut below = |n: u32| rng.next_u32() % n;
        let users = match below(100) {
            0 => 20 + below(31),
            1..=9 => 6 + below(6),
            _ => 2 + below(4),
        };
        // A crowd has one device each: what it costs grows with the square of all devices.
        let most = if users > 11 { 1 } else { 1 + below(3) + 2 * u32::from(below(20) == 0) };
        let devices: Vec<u8> = (0..users).map(|_| (1 + below(most)) as u8).collect();
        // Some kinds of fault are left out of each scene: what one hides, another scene shows.
        let mask = below(1 << 10);
        let length = 20 + below(61);
        let acts = (0..length).map(|_| act(&mut below, mask)).collect();
        Self { seed, devices, acts }
    }
}

/// One act: more than half of what happens is talk.
fn act(below: &mut impl FnMut(u32) -> u32, mask: u32) -> Act {
    let device = below(250) as u8;
    let kind = below(100);
    match kind {
        0..=15 => Act::Say { device, users: (1 + below(255)) as u8 },
        16..=27 => Act::SayInGroup { device, group: below(250) as u8 },
        28..=55 => Act::On { device },
        56..=58 => Act::Found { device, users: (1 + below(255)) as u8 },
        59..=61 => Act::Add { device, group: below(250) as u8, user: below(250) as u8 },
        62 => Act::Leave { device, group: below(250) as u8 },
        63 => Act::Link { user: below(250) as u8 },
        64 => Act::Remove { user: below(250) as u8, device: below(250) as u8 },
        65..=69 => Act::Pass { hours: [1, 1, 6, 24, 24 * 8][below(5) as usize] },
        _ => fault(device, (kind - 70) % 10, below, mask),
    }
}

fn fault(device: u8, kind: u32, below: &mut impl FnMut(u32) -> u32, mask: u32) -> Act {
    if mask & (1 << kind) == 0 {
        return Act::On { device };
    }
    match kind {
        0 => Act::Copy { device },
        1 => Act::PutBack { device, copy: below(250) as u8 },
        2 => Act::Crash { device, operation: below(40) as u8, fault: below(3) as u8 },
        3 => Act::Spoil { device, row: below(250) as u8 },
        4 => Act::Lose { device, percent: [20, 50, 100][below(3) as usize] },
        5 if below(2) == 0 => Act::Delay { device },
        5 => Act::Deliver { device },
        6 => Act::Repeat { device },
        7 if below(2) == 0 => Act::Cut { device, off: below(2) == 0 },
        7 => Act::Swap { device },
        8 => Act::Clock { device, days: [-400, -40, -1, 0, 0, 1, 40, 400][below(8) as usize] },
        _ => {
            let trouble = Trouble::ALL[below(5) as usize].0;
            Act::Trouble { device, trouble, requests: (1 + below(12)) as u8 }
        }
    }
}
