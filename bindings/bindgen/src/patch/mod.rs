//! Changes to what UniFFI emits: what it gets wrong, and what would else be public in our packages ([ADR 28]).
//!
//! Each change asserts that it finds its place. So a new UniFFI that emits something else fails here, and not in an app.
//!
//! [ADR 28]: ../../../../docs/adr/0028-kotlin-and-swift-are-mended-where-they-are-generated.md

mod calls;
mod fields;
mod handles;
mod kotlin;
mod kotlin_codes;
mod records;
mod swift;
mod swift_reader;

use std::{fs, path::Path};

/// The generated file of a language, patched.
pub(crate) fn patched(language: &str, path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut text = Text { text };
    match language {
        "kotlin" => kotlin::patch(&mut text)?,
        "swift" => swift::patch(&mut text)?,
        _ => return Err(format!("there are no patches for {language}")),
    }
    Ok(text.text)
}

/// A generated text, in which every change must find its place.
pub(crate) struct Text {
    pub(crate) text: String,
}

impl Text {
    /// Replaces every occurrence.
    pub(crate) fn all(&mut self, from: &str, to: &str) -> Result<(), String> {
        self.count(from)?;
        self.text = self.text.replace(from, to);
        Ok(())
    }

    /// Replaces the only occurrence.
    pub(crate) fn once(&mut self, from: &str, to: &str) -> Result<(), String> {
        match self.count(from)? {
            1 => self.all(from, to),
            count => Err(format!("{from:?} is there {count} times")),
        }
    }

    /// Takes away every part from `begin` to `end`, both included.
    pub(crate) fn cut(&mut self, begin: &str, end: &str) -> Result<(), String> {
        self.count(begin)?;
        while let Some((before, rest)) = self.text.split_once(begin) {
            let (_, after) = rest.split_once(end).ok_or_else(|| format!("{begin:?} has no {end:?} behind it"))?;
            self.text = format!("{before}{after}");
        }
        Ok(())
    }

    /// Puts `make` of each line in its place; some line must change.
    pub(crate) fn lines(&mut self, what: &str, make: impl Fn(&str) -> String) -> Result<(), String> {
        let lines: String = self.text.lines().map(|line| make(line) + "\n").collect();
        if lines == self.text {
            return Err(format!("no line is changed: {what}"));
        }
        self.text = lines;
        Ok(())
    }

    fn count(&self, from: &str) -> Result<usize, String> {
        match self.text.matches(from).count() {
            0 => Err(format!("{from:?} is not there")),
            count => Ok(count),
        }
    }
}

/// The text between two others, the first of its kind.
pub(crate) fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    text.split_once(begin)?.1.split_once(end).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Text {
        Text { text: "a (b) c (d) e\n".to_owned() }
    }

    #[test]
    fn a_change_without_a_place_is_an_error() {
        assert_eq!(text().all("x", "y"), Err("\"x\" is not there".to_owned()));
        assert_eq!(text().once("(", "["), Err("\"(\" is there 2 times".to_owned()));
        assert!(text().cut("(", "x").is_err());
        assert!(text().lines("nothing", str::to_owned).is_err());
    }

    #[test]
    fn a_change_is_made_everywhere() {
        let mut changed = text();
        assert_eq!(changed.all("(", "["), Ok(()));
        assert_eq!(changed.text, "a [b) c [d) e\n");
        let mut changed = text();
        assert_eq!(changed.cut(" (", ")"), Ok(()));
        assert_eq!(changed.text, "a c e\n");
    }
}
