//! The figure for the docs: what a message to a group costs, from 2 to 1,000 members with 1 to 5 devices each.

use sesame_core::internal::wire::{
    envelope::{Clear, length},
    padding::{padded_len, room},
};
use std::fmt::Write;

/// The length of the user ids in the figure, in bytes.
const USER: usize = 16;
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 50.0;
const COLOURS: [&str; 5] = ["#1b6ca8", "#2a9d8f", "#8ab17d", "#e9a03b", "#d1495b"];

/// The number of envelopes and bytes for a message of `payload` bytes to a group whose sessions are
/// established.
#[must_use]
pub fn cost(members: usize, devices: usize, payload: usize) -> (usize, usize) {
    let envelopes = members * devices - 1;
    let padded = padded_len(payload, room(0), 0).unwrap();
    (envelopes, envelopes * length((USER, USER), Clear::Ordinary, padded))
}

fn x(members: f64) -> f64 {
    LEFT + (members.log10() - 2_f64.log10()) / (1_000_f64.log10() - 2_f64.log10()) * (WIDTH - LEFT - 110.0)
}

fn y(bytes: f64) -> f64 {
    let (low, high) = (1_000_f64.log10(), 10_000_000_f64.log10());
    TOP + (high - bytes.log10()) / (high - low) * (HEIGHT - TOP - 60.0)
}

/// The figure: the bytes of one message of up to 384 bytes, with logarithmic axes.
#[must_use]
pub fn svg() -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"28\" font-size=\"16\">Bytes on the wire for one message of up to 384 bytes to a group</text>\n"
    );
    for (bytes, label) in [(1e3, "1 kB"), (1e4, "10 kB"), (1e5, "100 kB"), (1e6, "1 MB"), (1e7, "10 MB")] {
        let (at, right) = (y(bytes), x(1_000.0));
        writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{right:.1}\" stroke=\"#dddddd\"/>").unwrap();
        writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", LEFT - 8.0, at + 4.0)
            .unwrap();
    }
    for members in [2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0] {
        let (at, bottom) = (x(members), y(1e3));
        writeln!(svg, "<path d=\"M{at:.1} {bottom:.1}V{:.1}\" stroke=\"#eeeeee\"/>", y(1e7)).unwrap();
        writeln!(svg, "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{members}</text>", bottom + 20.0)
            .unwrap();
    }
    writeln!(svg, "<text x=\"{LEFT}\" y=\"{:.1}\">members</text>", y(1e3) + 42.0).unwrap();
    for (devices, colour) in (1..=5).zip(COLOURS) {
        let mut path = String::new();
        for (at, members) in (2..=1_000).filter(|m| *m <= 20 || m % 20 == 0).enumerate() {
            let (_, bytes) = cost(members, devices, 384);
            let command = if at == 0 { 'M' } else { 'L' };
            write!(path, "{command}{:.1} {:.1}", x(members as f64), y(bytes as f64)).unwrap();
        }
        writeln!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>").unwrap();
        let (envelopes, bytes) = cost(1_000, devices, 384);
        let label = format!("{devices} device{}", if devices == 1 { "" } else { "s" });
        let at = y(bytes as f64) + 4.0 + [14.0, 6.0, 1.0, -4.0, -10.0][devices - 1];
        writeln!(svg, "<text x=\"{:.1}\" y=\"{at:.1}\" fill=\"{colour}\">{label}</text>", x(1_000.0) + 8.0).unwrap();
        writeln!(svg, "<!-- 1,000 members, {label} each: {envelopes} envelopes, {bytes} B -->").unwrap();
    }
    svg.push_str("</svg>\n");
    svg
}
