//! C's numbers and fields in the order of their first appearance: what programs are compiled against never moves.

use std::fmt::Write;

/// `ledger.txt`, with what this run has added.
pub(crate) struct Ledger {
    head: String,
    sections: Vec<(String, Vec<String>)>,
}

impl Ledger {
    pub(crate) fn read(text: &str) -> Self {
        let mut ledger = Self { head: String::new(), sections: Vec::new() };
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                ledger.sections.push((name.to_owned(), Vec::new()));
            } else if line.starts_with('#') {
                ledger.head += &format!("{line}\n");
            } else if let Some((_, entries)) = ledger.sections.last_mut().filter(|_| !line.trim().is_empty()) {
                entries.push(line.trim().to_owned());
            }
        }
        ledger
    }

    fn section(&mut self, name: &str) -> &mut Vec<String> {
        if let Some(at) = self.sections.iter().position(|(known, _)| known == name) {
            return &mut self.sections[at].1;
        }
        self.sections.push((name.to_owned(), Vec::new()));
        let last = self.sections.len() - 1;
        &mut self.sections[last].1
    }

    /// The number of a variant: the one that it has, the one that core gives it, or the next.
    pub(crate) fn number(&mut self, section: &str, variant: &str, core: Option<u32>) -> Result<u32, String> {
        let entries = self.section(section);
        let mut next = 0;
        for entry in entries.iter() {
            let (name, number) = entry.split_once(" = ").ok_or(format!("[{section}] {entry:?} has no number"))?;
            let number: u32 = number.parse().map_err(|_| format!("[{section}] {entry:?} has no number"))?;
            if name == variant {
                return match core {
                    Some(core) if core != number => {
                        Err(format!("[{section}] {variant} is {number}, and {core} in core"))
                    }
                    _ => Ok(number),
                };
            }
            next = next.max(number);
        }
        let number = core.unwrap_or(next + 1);
        entries.push(format!("{variant} = {number}"));
        Ok(number)
    }

    /// Names in the order that C has them; new ones at the end.
    pub(crate) fn ordered(&mut self, section: &str, names: &[String]) -> Vec<String> {
        let entries = self.section(section);
        for name in names {
            if !entries.contains(name) {
                entries.push(name.clone());
            }
        }
        entries.clone()
    }

    pub(crate) fn text(&self) -> String {
        let mut text = self.head.clone();
        for (name, entries) in &self.sections {
            let _ = write!(text, "\n[{name}]\n{}\n", entries.join("\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_comes_last_and_nothing_moves() {
        let text = "# Words.\n\n[kind]\nOther = 0\nZebra = 1\n\n[event]\nkind\nuser\n";
        let mut ledger = Ledger::read(text);
        assert_eq!(ledger.text(), text);
        assert_eq!(ledger.number("kind", "Apple", None), Ok(2));
        assert_eq!(ledger.number("kind", "Zebra", None), Ok(1));
        assert_eq!(ledger.number("kind", "Zebra", Some(1)), Ok(1));
        assert!(ledger.number("kind", "Zebra", Some(4)).is_err());
        let names = ["apple", "kind", "user"].map(str::to_owned);
        assert_eq!(ledger.ordered("event", &names), ["kind", "user", "apple"]);
        assert_eq!(
            ledger.text(),
            "# Words.\n\n[kind]\nOther = 0\nZebra = 1\nApple = 2\n\n[event]\nkind\nuser\napple\n"
        );
    }
}
