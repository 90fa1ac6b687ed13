//! The large world over many seeds: one line of JSON, and a file for each scene in which something was wrong.
//!
//! `cargo xtask score world --seeds N [--from SEED]`, or `--scene` with a seed or a scene's file, which is played alone. `SESAME_TRACE=1` prints
//! what each device asks and reads.

use sesame_tests::large::{Scene, play, shrink};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// Plays for the shrinking of one scene.
const PLAYS: usize = 300;

#[derive(Default)]
struct Sum {
    seeds: u64,
    envelopes: u64,
    read: u64,
    faults: BTreeMap<&'static str, u64>,
    violations: BTreeMap<&'static str, Vec<u64>>,
    rounds: Vec<u32>,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [file] = args.as_slice() {
        return one(file);
    }
    let [seeds, from] = [0, 1].map(|at| args.get(at).and_then(|word| word.parse::<u64>().ok()));
    let (seeds, from) = (seeds.unwrap_or(200), from.unwrap_or(0));
    std::panic::set_hook(Box::new(|_| {}));
    let (next, sum) = (AtomicU64::new(from), Mutex::new(Sum::default()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= from + seeds {
                        return;
                    }
                    let played = play(&Scene::of(seed));
                    let mut sum = sum.lock().expect("no thread panics");
                    sum.seeds += 1;
                    sum.envelopes += played.envelopes;
                    sum.read += played.read;
                    for (fault, times) in played.faults {
                        *sum.faults.entry(fault).or_default() += times;
                    }
                    match played.violation {
                        Some(violation) => {
                            eprintln!("seed {seed}: {violation}");
                            sum.violations.entry(violation.rule).or_default().push(seed);
                        }
                        None => sum.rounds.push(played.rounds),
                    }
                }
            });
        }
    });
    let sum = sum.into_inner().expect("no thread panics");
    print(sum);
}

/// Plays the scene in a file, and shrinks it if something is wrong.
fn one(file: &str) {
    let scene = match file.parse() {
        Ok(seed) => Scene::of(seed),
        Err(_) => fs::read_to_string(file).expect("the file can be read").parse().expect("a scene"),
    };
    match play(&scene).violation {
        None => println!("{file}: nothing is wrong"),
        Some(violation) => {
            println!("{file}: {violation}\n{}", shrink(&scene, violation.rule, PLAYS));
        }
    }
}

fn print(mut sum: Sum) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/world");
    fs::create_dir_all(&folder).expect("target/ can be written");
    for (rule, seeds) in &sum.violations {
        let scene = Scene::of(seeds[0]);
        let small = shrink(&scene, rule, PLAYS);
        let file = folder.join(format!("{}-{}.txt", rule.replace(' ', "-"), seeds[0]));
        let why = play(&small).violation.map(|violation| violation.to_string()).unwrap_or_default();
        fs::write(&file, format!("# {why}\n{small}")).expect("target/ can be written");
        eprintln!("{}: {why}\n{small}", file.display());
    }
    sum.rounds.sort_unstable();
    let median = sum.rounds.get(sum.rounds.len() / 2).copied().unwrap_or_default();
    let most = sum.rounds.last().copied().unwrap_or_default();
    let violations: BTreeMap<&str, usize> = sum.violations.iter().map(|(rule, seeds)| (*rule, seeds.len())).collect();
    let line = serde_json::json!({
        "seeds": sum.seeds,
        "envelopes": sum.envelopes,
        "read": sum.read,
        "faults": sum.faults,
        "violations": violations,
        "messages_to_heal": { "max": most, "median": median },
    });
    println!("{line}");
    if !violations.is_empty() {
        std::process::exit(1);
    }
}
