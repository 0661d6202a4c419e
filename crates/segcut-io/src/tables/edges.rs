//! An edge list → graph.

use super::error::{TableError, TableFault};
use super::fields::{Table, finite};
use super::pairs::{EdgeGraph, EdgeRules, Entry, Pairs, Stated, check_size};
use crate::Input;
use std::collections::BTreeMap;

/// Names of the first node's, the second node's and the weight's column.
const FIRST: [&str; 7] = ["u", "source", "src", "from", "node1", "i", "start"];
const SECOND: [&str; 7] = ["v", "target", "dst", "to", "node2", "j", "end"];
const WEIGHT: [&str; 4] = ["weight", "w", "value", "weights"];

/// Rows of two nodes and, where there is one, a weight → graph.
///
/// Nodes that are all whole numbers are numbers from 0, and there are as many nodes as the largest one says; otherwise
/// they are names, numbered in the order in which they first occur. The first row is a header where it names its
/// columns (u, v; source, target; from, to …), where its weight is no number, or where it alone has no whole numbers.
/// Edges from a node to itself are dropped. Of an edge that is repeated in the same direction the weights are
/// added; without weights it counts once. An edge may stand in both directions: the graph is undirected where all do,
/// with equal weights, or none does, and directed otherwise.
///
/// # Errors
/// [`TableError`] that names the file, the line and the reason.
///
/// ```
/// use segcut_io::Input;
/// use segcut_io::tables::{Directed, EdgeRules, read_edges};
/// let input = Input { file: "e.txt".into(), bytes: b"# friends\nann bob 2\nbob carl 1\n".to_vec() };
/// let rules = EdgeRules { directed: Directed::Refuse, negative: false, nodes: 0, limit: 1 << 20 };
/// let graph = read_edges(&input, &rules)?;
/// assert_eq!(graph.affinity.edges(), [[0, 1], [1, 2]]);
/// assert_eq!(graph.ids.unwrap(), ["ann", "bob", "carl"]);
/// # Ok::<(), segcut_io::tables::TableError>(())
/// ```
pub fn read_edges(input: &Input, rules: &EdgeRules) -> Result<EdgeGraph, TableError> {
    let table = Table::new(input)?;
    let rows = parse(&table)?;
    let whole = |text: &str| text.parse::<i64>().ok();
    let (n, ids, number): (u64, Option<Vec<String>>, BTreeMap<&str, u32>) =
        if rows.iter().all(|row| row.nodes.iter().all(|node| whole(node).is_some())) {
            (highest(&table, &rows)?, None, BTreeMap::new())
        } else {
            let (ids, number) = named(&rows);
            (ids.len() as u64, Some(ids), number)
        };
    check_size(input, n.max(rules.nodes as u64), rows.len() as u64, rules.limit)?;
    let node = |text: &str| number.get(text).copied().or_else(|| text.parse().ok()).unwrap_or(0);
    let entry = |row: &Row<'_>| {
        let [u, v] = row.nodes.map(node);
        Entry { u, v, weight: row.weight.unwrap_or(1.0), line: row.line }
    };
    let weighted = rows.first().is_some_and(|row| row.weight.is_some());
    let entries = rows.iter().map(entry).collect();
    Pairs { input, n: n as usize, entries, weighted, stated: Stated::List, ids }.graph(rules)
}

/// Whether a text begins with the column names of an edge list (u and v, source and target, …).
pub fn names_edges(input: &Input) -> bool {
    let table = Table::new(input).ok();
    let first = table.and_then(|table| table.rows().next().map(|(_, fields)| columns(&fields).is_some()));
    first.unwrap_or(false)
}

struct Row<'a> {
    line: usize,
    nodes: [&'a str; 2],
    weight: Option<f64>,
}

/// The places of both nodes and of the weight, by their names.
fn columns(header: &[&str]) -> Option<(usize, usize, Option<usize>)> {
    let find = |names: &[&str]| header.iter().position(|h| names.contains(&h.to_ascii_lowercase().as_str()));
    Some((find(&FIRST)?, find(&SECOND)?, find(&WEIGHT)))
}

fn parse<'a>(table: &Table<'a>) -> Result<Vec<Row<'a>>, TableError> {
    let mut rows = table.rows().peekable();
    let Some((_, first)) = rows.peek().cloned() else { return Err(table.fault(None, TableFault::Empty)) };
    let (mut places, width) = ((0, 1, (first.len() == 3).then_some(2)), first.len());
    if let Some(named) = columns(&first) {
        places = named;
        rows.next();
    } else if !(2..=3).contains(&width) {
        return Err(table.fault(rows.peek().map(|row| row.0), TableFault::EdgeFields(width)));
    } else if is_header(&first, table.rows().nth(1)) {
        rows.next();
    }
    let mut parsed = Vec::new();
    for (line, fields) in rows {
        if fields.len() != width {
            return Err(table.fault(line, TableFault::Ragged { found: fields.len(), expected: width }));
        }
        let weight = places.2.map(|at| finite(|| "weight".to_owned(), fields[at])).transpose();
        let weight = weight.map_err(|fault| table.fault(line, fault))?;
        let nodes = [fields[places.0], fields[places.1]];
        if nodes.iter().any(|node| node.is_empty()) {
            let fault = TableFault::NotANumber { column: "node".into(), text: String::new() };
            return Err(table.fault(line, fault));
        }
        parsed.push(Row { line, nodes, weight });
    }
    if parsed.is_empty() {
        return Err(table.fault(None, TableFault::Empty));
    }
    Ok(parsed)
}

fn is_header(first: &[&str], second: Option<(usize, Vec<&str>)>) -> bool {
    let whole = |text: &&str| text.parse::<i64>().is_ok();
    let weight_is_word = first.get(2).is_some_and(|text| text.parse::<f64>().is_err());
    let alone = !first[..2].iter().any(&whole)
        && second.is_some_and(|(_, fields)| fields.len() >= 2 && fields[..2].iter().all(&whole));
    weight_is_word && !whole(&first[0]) || alone
}

/// One more than the largest node.
fn highest(table: &Table<'_>, rows: &[Row<'_>]) -> Result<u64, TableError> {
    let mut n = 0;
    for row in rows {
        for node in row.nodes {
            let number: i64 = node.parse().unwrap_or(-1);
            let Ok(number) = u64::try_from(number) else {
                return Err(table.fault(row.line, TableFault::NegativeNode(number)));
            };
            n = n.max(number.saturating_add(1));
        }
    }
    Ok(n)
}

/// Names in the order of their first row, and their numbers.
fn named<'a>(rows: &[Row<'a>]) -> (Vec<String>, BTreeMap<&'a str, u32>) {
    let mut names = Vec::new();
    let mut number = BTreeMap::new();
    for node in rows.iter().flat_map(|row| row.nodes) {
        number.entry(node).or_insert_with(|| {
            names.push(node.to_owned());
            names.len() as u32 - 1
        });
    }
    (names, number)
}
