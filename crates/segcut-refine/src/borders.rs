//! Which regions touch and along how many pixel pairs.

use segcut_core::{LabelMap, VOID};

/// Two regions that touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Border {
    /// The regions, the smaller number first.
    pub(crate) regions: [u32; 2],
    /// Pixel pairs that share a side across the border.
    pub(crate) length: u32,
}

/// How many entries are gathered before equal ones are added up; keeps the memory bounded on large maps.
const GATHER: usize = 1 << 16;

/// Label map → its borders, sorted by the regions; VOID has none.
pub(crate) fn borders(map: &LabelMap) -> Vec<Border> {
    let (labels, width) = (map.labels(), map.width());
    let mut found = Gathered { entries: Vec::new(), limit: GATHER };
    for (y, row) in labels.chunks_exact(width.max(1)).enumerate() {
        row.windows(2).filter(|pair| pair[0] != pair[1]).for_each(|pair| found.add(pair[0], pair[1]));
        let below = labels[(y + 1) * width..].iter();
        row.iter().zip(below).filter(|(a, b)| a != b).for_each(|(&a, &b)| found.add(a, b));
    }
    found.add_up();
    found.entries
}

struct Gathered {
    entries: Vec<Border>,
    limit: usize,
}

impl Gathered {
    fn add(&mut self, a: u32, b: u32) {
        if a == VOID || b == VOID {
            return;
        }
        let regions = [a.min(b), a.max(b)];
        match self.entries.last_mut() {
            Some(last) if last.regions == regions => last.length += 1,
            _ => self.entries.push(Border { regions, length: 1 }),
        }
        if self.entries.len() >= self.limit {
            self.add_up();
            self.limit = GATHER.max(2 * self.entries.len());
        }
    }

    fn add_up(&mut self) {
        self.entries.sort_unstable_by_key(|b| (u64::from(b.regions[0]) << 32) | u64::from(b.regions[1]));
        self.entries.dedup_by(|next, kept| {
            let same = next.regions == kept.regions;
            kept.length += if same { next.length } else { 0 };
            same
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_by_hand() {
        let map = LabelMap::new(2, 3, vec![0, 0, 1, 2, 2, VOID]).unwrap();
        let expected = [([0, 1], 1), ([0, 2], 2)].map(|(regions, length)| Border { regions, length });
        assert_eq!(borders(&map), expected);
    }

    #[test]
    fn many_regions_are_added_up_in_between() {
        let map = LabelMap::new(300, 301, (0..300 * 301).collect()).unwrap();
        let all = borders(&map);
        assert_eq!(all.len(), 300 * 300 + 299 * 301);
        assert!(all.windows(2).all(|w| w[0].regions < w[1].regions) && all.iter().all(|b| b.length == 1));
    }
}
