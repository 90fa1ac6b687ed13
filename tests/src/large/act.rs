//! What happens in a scene, and the form of a scene as text.

use std::{
    fmt::{self, Display, Formatter},
    str::FromStr,
};

/// What a server does to a device's requests instead of answering them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// The request arrives, and the answer is lost.
    Unanswered,
    /// The request is lost.
    Lost,
    /// An error of the server.
    Error,
    /// What it answered to an older request for the same path.
    Stale,
    /// Bytes that are no answer.
    Garbage,
}

impl Trouble {
    /// Every trouble, with its name.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Unanswered, "unanswered"),
        (Self::Lost, "lost"),
        (Self::Error, "error"),
        (Self::Stale, "stale"),
        (Self::Garbage, "garbage"),
    ];
}

/// One thing that happens. Devices, users and groups are numbers, modulo those that there are.
#[allow(missing_docs, reason = "each act says what its numbers are")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    /// A device writes to the users whose bits are set, its own aside.
    Say { device: u8, users: u8 },
    /// A device writes in a group.
    SayInGroup { device: u8, group: u8 },
    /// A device makes a group of the users whose bits are set.
    Found { device: u8, users: u8 },
    /// A device adds a user to a group.
    Add { device: u8, group: u8, user: u8 },
    /// A device's user leaves a group.
    Leave { device: u8, group: u8 },
    /// A user links a device, unless there are enough.
    Link { user: u8 },
    /// A user's primary removes another device.
    Remove { user: u8, device: u8 },
    /// A device is on: it fetches its mail, and its loop runs to its end.
    On { device: u8 },
    /// A device's store is copied.
    Copy { device: u8 },
    /// One of the copies is put back.
    PutBack { device: u8, copy: u8 },
    /// The device is on, its store fails at this operation, in one of three ways, and the process is started anew.
    Crash { device: u8, operation: u8, fault: u8 },
    /// One byte of one row of a session, or of what else heals, is changed.
    Spoil { device: u8, row: u8 },
    /// What waits for a device is lost, each of it with this chance in percent.
    Lose { device: u8, percent: u8 },
    /// What waits for a device is kept back, and comes later in any order.
    Delay { device: u8 },
    /// What was kept back comes.
    Deliver { device: u8 },
    /// What has come before comes once more.
    Repeat { device: u8 },
    /// A device cannot reach the server, or can again.
    Cut { device: u8, off: bool },
    /// A device's clock is wrong by so many days from now on.
    Clock { device: u8, days: i16 },
    /// Another process of the same device goes on with its store.
    Swap { device: u8 },
    /// For so many requests of a device the server makes trouble.
    Trouble { device: u8, trouble: Trouble, requests: u8 },
    /// Hours pass.
    Pass { hours: u16 },
}

impl Display for Act {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Say { device, users } => write!(f, "say {device} {users}"),
            Self::SayInGroup { device, group } => write!(f, "say-in-group {device} {group}"),
            Self::Found { device, users } => write!(f, "found {device} {users}"),
            Self::Add { device, group, user } => write!(f, "add {device} {group} {user}"),
            Self::Leave { device, group } => write!(f, "leave {device} {group}"),
            Self::Link { user } => write!(f, "link {user}"),
            Self::Remove { user, device } => write!(f, "remove {user} {device}"),
            Self::On { device } => write!(f, "on {device}"),
            Self::Copy { device } => write!(f, "copy {device}"),
            Self::PutBack { device, copy } => write!(f, "put-back {device} {copy}"),
            Self::Crash { device, operation, fault } => write!(f, "crash {device} {operation} {fault}"),
            Self::Spoil { device, row } => write!(f, "spoil {device} {row}"),
            Self::Lose { device, percent } => write!(f, "lose {device} {percent}"),
            Self::Delay { device } => write!(f, "delay {device}"),
            Self::Deliver { device } => write!(f, "deliver {device}"),
            Self::Repeat { device } => write!(f, "repeat {device}"),
            Self::Cut { device, off } => write!(f, "cut {device} {}", u8::from(off)),
            Self::Clock { device, days } => write!(f, "clock {device} {days}"),
            Self::Swap { device } => write!(f, "swap {device}"),
            Self::Trouble { device, trouble, requests } => {
                let name =
                    Trouble::ALL.into_iter().find(|(known, _)| *known == trouble).map_or("lost", |(_, name)| name);
                write!(f, "trouble {device} {name} {requests}")
            }
            Self::Pass { hours } => write!(f, "pass {hours}"),
        }
    }
}

impl FromStr for Act {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| -> Result<i32, String> {
            words.get(at).and_then(|word| word.parse().ok()).ok_or_else(|| format!("no number {at} in \"{line}\""))
        };
        let n = |at: usize| Ok::<u8, String>(number(at)? as u8);
        let device = n(1).unwrap_or_default();
        Ok(match words.first().copied().unwrap_or_default() {
            "say" => Self::Say { device, users: n(2)? },
            "say-in-group" => Self::SayInGroup { device, group: n(2)? },
            "found" => Self::Found { device, users: n(2)? },
            "add" => Self::Add { device, group: n(2)?, user: n(3)? },
            "leave" => Self::Leave { device, group: n(2)? },
            "link" => Self::Link { user: n(1)? },
            "remove" => Self::Remove { user: n(1)?, device: n(2)? },
            "on" => Self::On { device },
            "copy" => Self::Copy { device },
            "put-back" => Self::PutBack { device, copy: n(2)? },
            "crash" => Self::Crash { device, operation: n(2)?, fault: n(3)? },
            "spoil" => Self::Spoil { device, row: n(2)? },
            "lose" => Self::Lose { device, percent: n(2)? },
            "delay" => Self::Delay { device },
            "deliver" => Self::Deliver { device },
            "repeat" => Self::Repeat { device },
            "cut" => Self::Cut { device, off: n(2)? == 1 },
            "clock" => Self::Clock { device, days: number(2)? as i16 },
            "swap" => Self::Swap { device },
            "trouble" => {
                let name = words.get(2).copied().unwrap_or_default();
                let known = Trouble::ALL.into_iter().find(|(_, known)| *known == name);
                let (trouble, _) = known.ok_or_else(|| format!("no trouble {name}"))?;
                Self::Trouble { device, trouble, requests: n(3)? }
            }
            "pass" => Self::Pass { hours: number(1)? as u16 },
            other => return Err(format!("no act {other}")),
        })
    }
}

/// A scene: who is there, and what happens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scene {
    /// What the randomness of the devices and of the network follows from.
    pub seed: u64,
    /// The number of devices of each user.
    pub devices: Vec<u8>,
    /// What happens.
    pub acts: Vec<Act>,
}

impl Display for Scene {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        let devices: Vec<String> = self.devices.iter().map(u8::to_string).collect();
        writeln!(f, "devices {}", devices.join(" "))?;
        self.acts.iter().try_for_each(|act| writeln!(f, "{act}"))
    }
}

impl FromStr for Scene {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut field = |name: &str| {
            let line = lines.next().and_then(|line| line.strip_prefix(name));
            line.map(str::trim).ok_or_else(|| format!("no line \"{name}\""))
        };
        let seed = field("seed")?.parse().map_err(|_| "no seed".to_owned())?;
        let devices = field("devices")?.split_whitespace();
        let devices = devices.map(|n| n.parse().map_err(|_| format!("no number: {n}"))).collect::<Result<_, _>>()?;
        Ok(Self { seed, devices, acts: lines.map(str::parse).collect::<Result<_, _>>()? })
    }
}
