//! Sets of places, for pasts and for what is kept: one bit for each operation of a group.

/// A set of places.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Past(Vec<u64>);

impl Past {
    pub(super) fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    pub(super) fn add(&mut self, at: usize) {
        if self.0.len() <= at / 64 {
            self.0.resize(at / 64 + 1, 0);
        }
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(super) fn unite(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(to, from)| *to |= from);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// What is in both.
    pub(super) fn common(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    fn word(&self, at: usize) -> u64 {
        self.0.get(at).copied().unwrap_or(0)
    }

    /// Whether each place that is here and in `seen` is covered: it is one of `named`, or in the past of one of them.
    pub(super) fn is_covered(&self, seen: Option<&Self>, named: &[usize], past: &[Self]) -> bool {
        self.0.iter().enumerate().all(|(at, word)| {
            let mut open = word & seen.map_or(u64::MAX, |seen| seen.word(at));
            for name in named {
                if open == 0 {
                    break;
                }
                open &= !past.get(*name).map_or(0, |past| past.word(at));
                if name / 64 == at {
                    open &= !(1 << (name % 64));
                }
            }
            open == 0
        })
    }
}
