//! Numbers for pairs of u32, given in the order of first sight.

/// Pairs of u32 → consecutive numbers, by open addressing with linear probing.
///
/// It replaces a hash map whose order of iteration is random: whoever uses it iterates
/// [`keys`](Self::keys), which lie in the order of first sight.
#[derive(Debug)]
pub(crate) struct PairTable {
    slots: Vec<u32>,
    keys: Vec<u64>,
    last: (u64, usize),
}

const EMPTY: u32 = u32::MAX;
/// 2⁶⁴ divided by the golden ratio (Knuth, TAOCP 3, 6.4: multiplicative hashing).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl PairTable {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self { slots: vec![EMPTY; 1 << 10], keys: Vec::new(), last: (u64::MAX, usize::MAX) }
    }

    /// The number of a pair; a new pair gets the next number.
    pub(crate) fn number(&mut self, high: u32, low: u32) -> usize {
        let key = pack(high, low);
        if self.last.0 == key && self.last.1 != usize::MAX {
            return self.last.1;
        }
        if 2 * (self.keys.len() + 1) > self.slots.len() {
            self.grow();
        }
        let slot = self.slot(key);
        let mut number = self.slots[slot];
        if number == EMPTY {
            number = self.keys.len() as u32;
            self.slots[slot] = number;
            self.keys.push(key);
        }
        self.last = (key, number as usize);
        number as usize
    }

    /// Pairs so far.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// (pair, number), sorted by pair.
    pub(crate) fn sorted(&self) -> Vec<([u32; 2], u32)> {
        let mut order: Vec<(u64, u32)> = self.keys.iter().zip(0..).map(|(&key, number)| (key, number)).collect();
        order.sort_unstable();
        order.into_iter().map(|(key, number)| ([(key >> 32) as u32, key as u32], number)).collect()
    }

    fn slot(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = (key.wrapping_mul(GOLDEN) >> 32) as usize & mask;
        while self.slots[slot] != EMPTY && self.keys[self.slots[slot] as usize] != key {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.slots = vec![EMPTY; 4 * self.slots.len()];
        for number in 0..self.keys.len() {
            let slot = self.slot(self.keys[number]);
            self.slots[slot] = number as u32;
        }
    }
}

fn pack(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_agree_with_an_ordered_map(pairs in prop::collection::vec((0u32..90, 0u32..90), 0..3000)) {
            let mut table = PairTable::new();
            let mut plain = std::collections::BTreeMap::new();
            for &(a, b) in &pairs {
                let next = plain.len() as u32;
                let expected = *plain.entry([a, b]).or_insert(next);
                prop_assert_eq!(table.number(a, b), expected as usize);
            }
            prop_assert_eq!(table.len(), plain.len());
            prop_assert_eq!(table.sorted(), plain.into_iter().collect::<Vec<_>>());
        }
    }
}
