//! Entries (u, v, weight) → a symmetric affinity.

use super::error::{TableError, TableFault, TableNote};
use super::points::Points;
use crate::Input;
use segcut_core::SparseAffinity;

/// What becomes of a graph whose two directions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Directed {
    /// It is an error.
    #[default]
    Refuse,
    /// The larger weight of both directions.
    Max,
    /// Half the sum of both directions, an absent one counting 0 (scikit-learn's rule).
    Mean,
    /// The sum of both directions.
    Sum,
}

/// How entries become a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeRules {
    /// What becomes of directed input.
    pub directed: Directed,
    /// Whether weights may be negative (correlation clustering).
    pub negative: bool,
    /// The least number of nodes.
    pub nodes: usize,
    /// Bytes that the graph may take.
    pub limit: u64,
}

/// A graph as a file gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeGraph {
    /// Nodes, edges and weights, without a diagonal.
    pub affinity: SparseAffinity,
    /// Names of the nodes, where they are not numbers.
    pub ids: Option<Vec<String>>,
    /// Whether the file gives weights (they are 1 otherwise).
    pub weighted: bool,
    /// What the reader did.
    pub notes: Vec<TableNote>,
}

/// Bytes that a node and an edge take until they are clustered.
const NODE_BYTES: u64 = 128;
const EDGE_BYTES: u64 = 96;

/// One entry of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) u: u32,
    pub(super) v: u32,
    pub(super) weight: f64,
    pub(super) line: usize,
}

/// How a file states an undirected edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stated {
    /// Once, or every edge in both directions.
    List,
    /// Once, in either triangle.
    Triangle,
    /// In both triangles.
    Both,
}

pub(super) struct Pairs<'a> {
    pub(super) input: &'a Input,
    pub(super) n: usize,
    pub(super) entries: Vec<Entry>,
    pub(super) weighted: bool,
    pub(super) stated: Stated,
    pub(super) ids: Option<Vec<String>>,
}

/// Both directions of one pair.
struct Pair {
    edge: [u32; 2],
    forth: f64,
    back: f64,
    /// How many entries each direction has.
    count: [usize; 2],
    line: usize,
}

/// Refuses a graph of so many nodes and edges that takes more than the limit.
pub(super) fn check_size(input: &Input, n: u64, edges: u64, limit: u64) -> Result<(), TableError> {
    let needs = n.saturating_mul(NODE_BYTES).saturating_add(edges.saturating_mul(EDGE_BYTES));
    if needs <= limit && n < u64::from(u32::MAX) {
        return Ok(());
    }
    let what = format!("a graph of {n} nodes and {edges} edges");
    Err(TableFault::TooLarge { what, needs, limit }.at(&input.file, None))
}

impl Pairs<'_> {
    pub(super) fn graph(self, rules: &EdgeRules) -> Result<EdgeGraph, TableError> {
        let n = self.n.max(rules.nodes);
        check_size(self.input, n as u64, self.entries.len() as u64, rules.limit)?;
        if let Some(entry) = self.entries.iter().find(|e| e.weight < 0.0 && !rules.negative) {
            return Err(TableFault::Negative(entry.weight).at(&self.input.file, known(entry.line)));
        }
        let mut notes = Vec::new();
        let loops = self.entries.iter().filter(|e| e.u == e.v && e.weight != 0.0).count();
        if loops > 0 {
            notes.push(TableNote::SelfLoops(loops));
        }
        let pairs = self.pairs();
        let repeats = pairs.iter().map(|pair| pair.repeats(self.stated)).sum();
        if repeats > 0 {
            notes.push(TableNote::Repeats(repeats));
        }
        let weights = self.weights(&pairs, rules.directed, &mut notes)?;
        let edges = pairs.iter().map(|pair| pair.edge).collect();
        let affinity = SparseAffinity::new(n, edges, weights).map_err(|error| self.not_finite(&pairs, &error))?;
        let ids = self.ids.map(|mut ids| {
            ids.extend((ids.len()..n).map(|i| i.to_string()));
            ids
        });
        Ok(EdgeGraph { affinity, ids, weighted: self.weighted, notes })
    }

    /// Sums beyond f64.
    fn not_finite(&self, pairs: &[Pair], error: &segcut_core::AffinityError) -> TableError {
        let line = match error {
            segcut_core::AffinityError::NotFinite { index, .. } => pairs.get(*index).and_then(|pair| known(pair.line)),
            _ => None,
        };
        let fault = TableFault::NotFinite { column: "weight".into(), text: error.to_string() };
        fault.at(&self.input.file, line)
    }

    /// Entries off the diagonal by pair, sorted.
    fn pairs(&self) -> Vec<Pair> {
        let mut order: Vec<Entry> = self.entries.iter().filter(|e| e.u != e.v).copied().collect();
        order.sort_unstable_by_key(|e| (e.u.min(e.v), e.u.max(e.v), e.u > e.v, e.line));
        let same = |a: &Entry, b: &Entry| (a.u.min(a.v), a.u.max(a.v)) == (b.u.min(b.v), b.u.max(b.v));
        let pair = |entries: &[Entry]| {
            let edge = [entries[0].u.min(entries[0].v), entries[0].u.max(entries[0].v)];
            let direction = |back: bool| entries.iter().filter(move |e| (e.u > e.v) == back);
            let count = [direction(false).count(), direction(true).count()];
            let weight = |back: bool| match direction(back).next() {
                Some(first) if !self.weighted => first.weight,
                _ => direction(back).fold(0.0, |sum, e| sum + e.weight),
            };
            let line = entries.iter().map(|e| e.line).max().unwrap_or(0);
            Pair { edge, forth: weight(false), back: weight(true), count, line }
        };
        order.chunk_by(same).map(pair).collect()
    }

    /// One weight per pair, by the rule of the file's kind.
    fn weights(&self, pairs: &[Pair], directed: Directed, notes: &mut Vec<TableNote>) -> Result<Vec<f64>, TableError> {
        if self.stated == Stated::Triangle {
            let sum = |pair: &Pair| if self.weighted { pair.forth + pair.back } else { pair.forth.max(pair.back) };
            return Ok(pairs.iter().map(sum).collect());
        }
        let both = pairs.iter().filter(|pair| pair.count[0] > 0 && pair.count[1] > 0).count();
        if self.stated == Stated::List && both == 0 {
            return Ok(pairs.iter().map(|pair| pair.forth + pair.back).collect());
        }
        let differing: Vec<&Pair> = pairs.iter().filter(|pair| !pair.is_symmetric()).collect();
        if let (Some(pair), Directed::Refuse) = (differing.first(), directed) {
            let [u, v] = pair.edge.map(|node| self.name(node));
            let fault = TableFault::Asymmetric { u, v, forth: pair.forth, back: pair.back };
            return Err(fault.at(&self.input.file, known(pair.line)));
        }
        if differing.is_empty() && self.stated == Stated::List {
            notes.push(TableNote::BothWays);
        }
        if differing.is_empty() {
            return Ok(pairs.iter().map(|pair| (pair.forth + pair.back) / 2.0).collect());
        }
        notes.push(TableNote::Symmetrized(differing.len()));
        Ok(pairs.iter().map(|pair| pair.joined(directed)).collect())
    }

    fn name(&self, node: u32) -> String {
        let named = self.ids.as_ref().and_then(|ids| ids.get(node as usize)).cloned();
        // Matrices count from 1.
        let first = u32::from(self.stated != Stated::List);
        named.unwrap_or_else(|| (node + first).to_string())
    }
}

/// Line 0 is none.
fn known(line: usize) -> Option<usize> {
    (line > 0).then_some(line)
}

impl Pair {
    /// Equal but for rounding.
    fn is_symmetric(&self) -> bool {
        (self.forth - self.back).abs() <= 1e-10 * self.forth.abs().max(self.back.abs())
    }

    fn repeats(&self, stated: Stated) -> usize {
        match stated {
            Stated::Triangle => self.count[0] + self.count[1] - 1,
            Stated::List | Stated::Both => self.count.iter().map(|c| c.saturating_sub(1)).sum(),
        }
    }

    fn joined(&self, directed: Directed) -> f64 {
        match directed {
            Directed::Max | Directed::Refuse => self.forth.max(self.back),
            Directed::Mean => (self.forth + self.back) / 2.0,
            Directed::Sum => self.forth + self.back,
        }
    }
}

/// A square table of similarities → graph; zeros are no edges, the diagonal is dropped with a note.
///
/// # Errors
/// [`TableError`] where it is not square, or not symmetric under [`Directed::Refuse`].
pub fn affinity_of(input: &Input, table: &Points, rules: &EdgeRules) -> Result<EdgeGraph, TableError> {
    let (rows, columns) = (table.n as u64, table.dims as u64);
    if rows != columns {
        return Err(TableFault::NotSquare { rows, columns }.at(&input.file, None));
    }
    let nonzero = table.values.iter().filter(|value| **value != 0.0).count();
    check_size(input, rows, nonzero as u64, rules.limit)?;
    let cells = table.values.iter().enumerate().filter(|(_, value)| **value != 0.0);
    let entries = cells
        .map(|(at, &weight)| Entry { u: (at / table.n) as u32, v: (at % table.n) as u32, weight, line: 0 })
        .collect();
    let ids = table.ids.clone();
    Pairs { input, n: table.n, entries, weighted: true, stated: Stated::Both, ids }.graph(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(entries: &[(u32, u32, f64)], stated: Stated, directed: Directed) -> Result<EdgeGraph, TableError> {
        let input = Input { file: "g".into(), bytes: Vec::new() };
        let entries = (1..).zip(entries).map(|(line, &(u, v, weight))| Entry { u, v, weight, line }).collect();
        let rules = EdgeRules { directed, negative: false, nodes: 0, limit: 1 << 20 };
        Pairs { input: &input, n: 3, entries, weighted: true, stated, ids: None }.graph(&rules)
    }

    #[test]
    fn a_list_may_state_every_edge_once_or_twice() {
        let once =
            graph(&[(1, 0, 2.0), (1, 2, 3.0), (1, 2, 1.0), (2, 2, 1.0)], Stated::List, Directed::Refuse).unwrap();
        assert_eq!((once.affinity.edges(), once.affinity.weights()), (&[[0, 1], [1, 2]][..], &[2.0, 4.0][..]));
        assert_eq!(once.notes, [TableNote::SelfLoops(1), TableNote::Repeats(1)]);
        let twice = graph(&[(1, 0, 2.0), (0, 1, 2.0)], Stated::List, Directed::Refuse).unwrap();
        assert_eq!((twice.affinity.weights(), &twice.notes[..]), (&[2.0][..], &[TableNote::BothWays][..]));
    }

    #[test]
    fn directions_that_differ_are_refused_or_joined() {
        let entries = [(0, 1, 2.0), (1, 0, 4.0), (1, 2, 1.0)];
        let refused = graph(&entries, Stated::List, Directed::Refuse).unwrap_err().to_string();
        assert_eq!(refused, "g line 2: the graph is directed: 0 -> 1 has weight 2, 1 -> 0 has 4");
        for (directed, expected) in
            [(Directed::Max, [4.0, 1.0]), (Directed::Mean, [3.0, 0.5]), (Directed::Sum, [6.0, 1.0])]
        {
            let joined = graph(&entries, Stated::List, directed).unwrap();
            assert_eq!(joined.affinity.weights(), expected);
            assert_eq!(joined.notes, [TableNote::Symmetrized(2)]);
        }
        assert!(graph(&[(0, 1, 1.0)], Stated::Both, Directed::Refuse).is_err());
        assert_eq!(graph(&[(0, 1, 1.0)], Stated::Triangle, Directed::Refuse).unwrap().affinity.weights(), [1.0]);
    }

    #[test]
    fn negative_weights_and_sizes_are_refused() {
        let negative = graph(&[(0, 1, 1.0), (1, 2, -0.5)], Stated::List, Directed::Refuse).unwrap_err().to_string();
        assert!(negative.starts_with("g line 2: the weight -0.5 is negative"), "{negative}");
        let input = Input { file: "g".into(), bytes: Vec::new() };
        let large = check_size(&input, 1 << 40, 0, 1 << 30).unwrap_err().to_string();
        assert!(large.contains("1099511627776 nodes") && large.contains("--max-memory"), "{large}");
    }
}
