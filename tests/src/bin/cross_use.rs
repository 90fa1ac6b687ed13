//! One device for each language over one relay. They talk, close or are killed, and each opens a store that
//! another language has written, until every language has opened a store of every other.
//!
//! `cross_use FOLDER NAME=COMMAND ...`: each command starts a peer as `tests/story/README.md` describes it. The
//! last line printed is `N passed`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use sesame_core::{
    context::Timestamp,
    ids::{DeviceId, UserId},
};
use sesame_relay::{Relay, Request, Response};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A process that plays one device after another.
struct Peer {
    name: String,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// The index of the user whose device it plays now.
    user: usize,
}

/// The server's name.
const SERVER: &str = "relay.example";
/// More requests than any peer has at once.
const PATIENT: usize = 1_000;

fn decode(digits: &str) -> Vec<u8> {
    if digits == "-" { Vec::new() } else { hex::decode(digits).unwrap() }
}

#[allow(clippy::disallowed_methods)]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(u64::try_from(since.as_millis()).unwrap())
}

impl Peer {
    fn start(name: &str, command: &str, user: usize) -> Self {
        let mut shell = Command::new("sh");
        let mut child = shell.args(["-c", command]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { name: name.to_owned(), child, to, from, user }
    }

    /// Kills the process and starts another in its place.
    fn die_and_rise(&mut self, command: &str) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        *self = Self::start(&self.name, command, self.user);
    }

    /// Sends one line and returns the answer.
    fn ask(&mut self, line: &str) -> Vec<String> {
        writeln!(self.to, "{line}").unwrap();
        self.to.flush().unwrap();
        let mut said = String::new();
        self.from.read_line(&mut said).unwrap();
        let mut words = said.split_whitespace().map(str::to_owned);
        let verb = line.split(' ').next().unwrap_or_default();
        assert_eq!(words.next().as_deref(), Some("ok"), "{} answered {said:?} to {verb}", self.name);
        words.collect()
    }
}

/// The users, one for each language, and the server.
struct World {
    users: Vec<String>,
    folder: String,
    relay: Relay,
}

impl World {
    fn path(&self, user: usize) -> String {
        format!("{}/{}.db", self.folder, self.users[user])
    }

    /// The whole loop of a peer.
    fn exchange(&mut self, peer: &mut Peer) {
        for _ in 0..PATIENT {
            let next = peer.ask("next");
            let [id, path, auth, body] = next.as_slice() else { return };
            let body = decode(body);
            let request = Request { path, auth: (auth != "-").then_some(auth), body: &body };
            let Response { status, body } = self.relay.perform(now(), &request);
            let body = if body.is_empty() { "-".to_owned() } else { hex::encode(body) };
            let problem = peer.ask(&format!("respond {id} {status} {body}"));
            assert_eq!((status, problem), (200, vec![]), "{} asked {path}", peer.name);
        }
        panic!("the requests of {} do not end", peer.name);
    }

    /// Every peer writes to all others in one batch, and reads exactly what they wrote.
    fn talk(&mut self, peers: &mut [Peer], round: usize) -> usize {
        for peer in &mut *peers {
            let others: Vec<&str> = self
                .users
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != peer.user)
                .map(|(_, name)| name.as_str())
                .collect();
            let text = hex::encode(format!("round {round}, written in {}", peer.name));
            peer.ask(&format!("encrypt {} {text}", others.join(",")));
            self.exchange(peer);
        }
        let written: Vec<(usize, String)> = peers
            .iter()
            .map(|peer| {
                (
                    peer.user,
                    format!(
                        "{}:{}",
                        self.users[peer.user],
                        hex::encode(format!("round {round}, written in {}", peer.name))
                    ),
                )
            })
            .collect();
        for peer in &mut *peers {
            peer.ask("mail 100");
            self.exchange(peer);
            let mut read = peer.ask("inbox");
            read.sort();
            let mut wanted: Vec<String> =
                written.iter().filter(|(from, _)| *from != peer.user).map(|(_, text)| text.clone()).collect();
            wanted.sort();
            assert_eq!(read, wanted, "what {} reads for {}", peer.name, self.users[peer.user]);
            let address = (UserId::try_from(self.users[peer.user].as_str()).unwrap(), DeviceId(1));
            assert_eq!(self.relay.view().waiting.get(&address), Some(&0), "{} has confirmed everything", peer.name);
        }
        peers.len() * (peers.len() - 1)
    }
}

/// The time limit for everything, in case a peer does not answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(300);

fn main() {
    std::thread::spawn(|| {
        std::thread::sleep(PATIENCE);
        eprintln!("a peer does not answer");
        std::process::exit(3);
    });
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, commands) = arguments.split_first().unwrap();
    let commands: Vec<(&str, &str)> = commands.iter().map(|one| one.split_once('=').unwrap()).collect();
    let users = commands.iter().map(|(name, _)| format!("user-of-{name}")).collect();
    let mut world = World { users, folder: folder.clone(), relay: Relay::new(SERVER) };
    let mut peers: Vec<Peer> =
        commands.iter().enumerate().map(|(at, (name, command))| Peer::start(name, command, at)).collect();
    for peer in &mut peers {
        peer.ask(&format!("create {} {SERVER} {}", world.users[peer.user], world.path(peer.user)));
        world.exchange(peer);
    }
    let mut messages = world.talk(&mut peers, 0);
    let mut opened = BTreeSet::new();
    // Steps of 1, 2, 3 ...: each language opens a store that each other language has just written.
    for step in 1..peers.len() {
        let wrote: Vec<usize> =
            (0..peers.len()).map(|of| peers.iter().position(|peer| peer.user == of).unwrap()).collect();
        for (peer, (_, command)) in peers.iter_mut().zip(&commands) {
            // In every other round the process is killed instead of closed, and another takes its place.
            match step % 2 {
                0 => drop(peer.ask("close")),
                _ => peer.die_and_rise(command),
            }
        }
        let count = peers.len();
        for (at, peer) in peers.iter_mut().enumerate() {
            peer.user = (peer.user + step) % count;
            opened.insert((wrote[peer.user], at));
            peer.ask(&format!("open {}", world.path(peer.user)));
        }
        messages += world.talk(&mut peers, step);
    }
    for peer in &mut peers {
        peer.ask("close");
    }
    for Peer { mut child, to, .. } in peers {
        drop(to);
        assert!(child.wait().unwrap().success());
    }
    println!(
        "{messages} messages between {} languages; {} pairs of who wrote a store and who opened it",
        commands.len(),
        opened.len()
    );
    println!("{} passed", messages + opened.len());
}
