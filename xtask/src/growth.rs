//! `cargo xtask bench --growth`: what an item costs among 10, 100, 1,000 and 4,000 (`sesame-speed growth`).
//!
//! Writes its own table in `docs/performance.md`, the plot `docs/growth.svg` of that table, and `target/bench/growth.json`. What costs more than twice as much among the most as among a
//! hundred stands out in both: caches explain a part of that, a list that is walked for each item the rest.

mod plot;

use crate::{bindings::target, root, speed};
use std::{collections::BTreeMap, fmt::Write as _, fs};

const BEGIN: &str = "<!-- written by `cargo xtask bench --growth` -->\n";
/// How much more an item may cost among the most than among a hundred.
const MOST: f64 = 2.0;
/// The columns of the table.
const SIZES: [usize; 4] = [10, 100, 1_000, 4_000];

/// A figure: microseconds by size.
struct Growth {
    name: String,
    micros: BTreeMap<usize, f64>,
}

impl Growth {
    /// What the largest size costs beside another one.
    fn beside(&self, size: usize) -> Option<f64> {
        Some(self.micros.last_key_value()?.1 / self.micros.get(&size)?)
    }

    /// What costs the same however many there are has no ratio to keep: it is given in all.
    fn grows(&self) -> bool {
        self.beside(100).is_none_or(|ratio| ratio > MOST)
    }
}

/// Measures, prints, and writes what was found.
pub(crate) fn growth() -> Result<(), String> {
    let figures = read(&speed::measure(&["growth"], false)?)?;
    let table = table(&figures);
    println!("{table}");
    let folder = target().join("bench");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    fs::write(folder.join("growth.json"), json(&figures)).map_err(|error| error.to_string())?;
    speed::write_page(&table, (BEGIN, speed::END))?;
    draw()
}

/// Draws what the page's table has.
pub(crate) fn draw() -> Result<(), String> {
    let page = fs::read_to_string(root().join("docs/performance.md")).map_err(|error| error.to_string())?;
    fs::write(root().join("docs/growth.svg"), plot::plot(&read_table(&page)?)).map_err(|error| error.to_string())
}

/// The figures of the page's table.
fn read_table(page: &str) -> Result<Vec<Growth>, String> {
    let table = speed::table_of(page, (BEGIN, speed::END))?;
    let mut figures = Vec::new();
    for line in table.lines().skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let (Some(name), Some(micros)) = (cells.first(), cells.get(1..=SIZES.len())) else {
            return Err(format!("the table has {line:?}"));
        };
        let micros = SIZES.into_iter().zip(micros).filter_map(|(size, cell)| Some((size, cell.parse().ok()?)));
        figures.push(Growth { name: (*name).to_owned(), micros: micros.collect() });
    }
    Ok(figures)
}

/// The figures in the order in which they were first printed, each line `size microseconds name`.
fn read(printed: &str) -> Result<Vec<Growth>, String> {
    let mut figures: Vec<Growth> = Vec::new();
    for line in printed.lines() {
        let mut words = line.splitn(3, ' ');
        let size = words.next().and_then(|size| size.parse().ok());
        let micros = words.next().and_then(|micros| micros.parse().ok());
        let (Some(size), Some(micros), Some(name)) = (size, micros, words.next()) else {
            return Err(format!("sesame-speed says {line:?}"));
        };
        match figures.iter_mut().find(|figure| figure.name == name) {
            Some(figure) => drop(figure.micros.insert(size, micros)),
            None => figures.push(Growth { name: name.to_owned(), micros: BTreeMap::from([(size, micros)]) }),
        }
    }
    if figures.is_empty() { Err("sesame-speed has measured nothing".to_owned()) } else { Ok(figures) }
}

/// A group has 1,000 members at most: its last size stands under 1,000.
fn column(size: usize) -> usize {
    if size == 999 { 1_000 } else { size }
}

fn thousands(size: usize) -> String {
    if size < 1_000 { size.to_string() } else { format!("{},{:03}", size / 1_000, size % 1_000) }
}

fn table(figures: &[Growth]) -> String {
    let mut table = String::from(
        "| microseconds an item | 10 | 100 | 1,000 | 4,000 | most to 10 | most to 100 |\n|---|---|---|---|---|---|---|\n",
    );
    for figure in figures {
        let _ = write!(table, "| {} |", figure.name);
        for size in SIZES {
            let micros = figure.micros.iter().find(|(known, _)| column(**known) == size);
            let _ = write!(table, " {} |", micros.map_or(String::new(), |(_, micros)| format!("{micros:.2}")));
        }
        let ratio = |size| figure.beside(size).map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let emphasis = if figure.grows() { "**" } else { "" };
        let _ = writeln!(table, " {} | {emphasis}{}{emphasis} |", ratio(10), ratio(100));
    }
    table
}

fn json(figures: &[Growth]) -> String {
    let of = |figure: &Growth| {
        let sizes: Vec<String> =
            figure.micros.iter().map(|(size, micros)| format!("\"{size}\": {micros:.4}")).collect();
        format!(
            "  {{\"figure\": {:?}, \"grows\": {}, \"micros\": {{{}}}}}",
            figure.name,
            figure.grows(),
            sizes.join(", ")
        )
    };
    format!("[\n{}\n]\n", figures.iter().map(of).collect::<Vec<_>>().join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many figures a plot shows.
    fn curves(svg: &str) -> usize {
        svg.matches("<polyline").count()
    }

    #[test]
    fn the_plot_has_every_row_of_the_table_and_every_number() {
        let page = fs::read_to_string(root().join("docs/performance.md")).unwrap();
        let figures = read_table(&page).unwrap();
        assert!(figures.len() >= 20, "{}", figures.len());
        // What is read from the table makes the same table, but for what was rounded.
        let again = read_table(&format!("{BEGIN}{}{}", table(&figures), speed::END)).unwrap();
        assert_eq!(table(&again), table(&figures));
        let svg = plot::plot(&figures);
        assert_eq!(curves(&svg), figures.len());
        for figure in &figures {
            assert!(svg.contains(&format!(">{}</text>", figure.name)), "{}", figure.name);
            assert!(
                figure.micros.values().all(|micros| svg.contains(&format!(">{micros:.2}</text>"))),
                "{}",
                figure.name
            );
        }
        let committed = fs::read_to_string(root().join("docs/growth.svg")).unwrap();
        assert!(committed == svg, "docs/growth.svg is of another table: `cargo xtask bench --growth --draw`");
    }

    #[test]
    fn what_grows_is_drawn_in_another_color() {
        let of = |most| read(&format!("100 1.0 it\n4000 {most} it\n")).unwrap();
        assert!(plot::plot(&of(1.9)).contains("stroke=\"#2a7\""));
        assert!(plot::plot(&of(2.1)).contains("stroke=\"#c64\""));
        assert_eq!(curves(&plot::plot(&[])), 0);
    }

    #[test]
    fn what_costs_more_than_twice_as_much_among_the_most_stands_out() {
        let figures = read("100 1.0 good\n4000 1.9 good\n100 1.0 bad, or worse\n999 2.1 bad, or worse\n").unwrap();
        let table = table(&figures);
        assert!(table.contains("| good |  | 1.00 |  | 1.90 |  | 1.90 |"), "{table}");
        assert!(table.contains("| bad, or worse |  | 1.00 | 2.10 |  |  | **2.10** |"), "{table}");
        assert!(read("").is_err());
        assert!(read("100 fast\n").is_err());
    }
}
