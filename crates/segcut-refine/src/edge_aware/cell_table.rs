//! Cells of a five-dimensional lattice → consecutive numbers.

/// A cell's place.
pub(super) type Cell = [i16; 5];

const EMPTY: u32 = u32::MAX;
/// 2⁶⁴ divided by the golden ratio (Knuth, TAOCP 3, 6.4: multiplicative hashing).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Cells numbered in the order of first sight, by open addressing with linear probing.
#[derive(Debug)]
pub(super) struct CellTable {
    slots: Vec<u32>,
    cells: Vec<Cell>,
}

impl CellTable {
    pub(super) fn new() -> Self {
        Self { slots: vec![EMPTY; 1 << 12], cells: Vec::new() }
    }

    /// The cell's number; a new cell gets the next one.
    pub(super) fn number(&mut self, cell: Cell) -> u32 {
        if 2 * (self.cells.len() + 1) > self.slots.len() {
            self.grow();
        }
        let slot = self.slot(cell);
        if self.slots[slot] == EMPTY {
            self.slots[slot] = self.cells.len() as u32;
            self.cells.push(cell);
        }
        self.slots[slot]
    }

    /// The cell's number, where it has one.
    pub(super) fn find(&self, cell: Cell) -> Option<u32> {
        Some(self.slots[self.slot(cell)]).filter(|&number| number != EMPTY)
    }

    /// All cells, in the order of their numbers.
    pub(super) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    fn slot(&self, cell: Cell) -> usize {
        let mask = self.slots.len() - 1;
        let mixed =
            cell.iter().fold(0u64, |hash, &c| (hash.rotate_left(13) ^ u64::from(c as u16)).wrapping_mul(GOLDEN));
        let mut slot = (mixed >> 32) as usize & mask;
        while self.slots[slot] != EMPTY && self.cells[self.slots[slot] as usize] != cell {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.slots = vec![EMPTY; 4 * self.slots.len()];
        for number in 0..self.cells.len() {
            let slot = self.slot(self.cells[number]);
            self.slots[slot] = number as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_agree_with_an_ordered_map(cells in prop::collection::vec(prop::array::uniform5(-3i16..4), 0..6000)) {
            let mut table = CellTable::new();
            let mut plain = std::collections::BTreeMap::new();
            for &cell in &cells {
                let next = plain.len() as u32;
                let expected = *plain.entry(cell).or_insert(next);
                prop_assert_eq!(table.number(cell), expected);
            }
            prop_assert_eq!(table.cells().len(), plain.len());
            for (&cell, &number) in &plain {
                prop_assert_eq!(table.find(cell), Some(number));
            }
            prop_assert_eq!(table.find([9; 5]), None);
        }
    }
}
