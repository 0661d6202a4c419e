//! Points, edges, matrices and labels: what is read, and what is refused with its place.

#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use segcut_core::VOID;
use segcut_io::Input;
use segcut_io::npy::{NpyData, write_npy};
use segcut_io::tables::{
    Directed, EdgeRules, TableNote, affinity_of, read_edges, read_labels, read_matrix_graph, read_matrix_rows,
    read_points,
};

const LIMIT: u64 = 1 << 24;

fn input(name: &str, text: &str) -> Input {
    Input { file: name.into(), bytes: text.as_bytes().to_vec() }
}

fn rules() -> EdgeRules {
    EdgeRules { directed: Directed::Refuse, negative: false, nodes: 0, limit: LIMIT }
}

#[test]
fn label_and_id_columns_are_no_features() {
    let points = read_points(&input("p.csv", "id,a,Class,b\np,1,red,2\nq,3,blue,4\nr,5,,6\n"), LIMIT).unwrap();
    assert_eq!((points.n, points.dims, &points.values[..]), (3, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..]));
    assert_eq!(points.ids.unwrap(), ["p", "q", "r"]);
    assert_eq!(points.labels[0].labels, [1, 0, VOID]);
    for name in ["label", "y", "class", "truth"] {
        let points = read_points(&input("p.csv", &format!("a,{name}\n1,2\n3,-1\n")), LIMIT).unwrap();
        assert_eq!((points.dims, &points.labels[0].labels[..]), (1, &[0, VOID][..]), "{name}");
    }
    let plane = read_points(&input("p.csv", "x,y,truth\n1,2,0\n"), LIMIT).unwrap();
    assert_eq!((plane.dims, &plane.notes[0]), (2, &TableNote::YIsCoordinate));
    let plain = read_points(&input("p.csv", "1 2\n3 4"), LIMIT).unwrap();
    assert_eq!((plain.n, plain.dims), (2, 2));
}

#[test]
fn bad_points_name_their_line() {
    for (text, message) in [
        ("", "p.csv: there is nothing in it to read"),
        ("\n# c\n", "p.csv: there is nothing in it to read"),
        ("a,b\n", "p.csv: there is nothing in it to read"),
        ("label,y\n1,2\n", "p.csv: no column is a feature; the columns are label, y"),
        ("a,b\n1,2\n1\n", "p.csv line 3: the row has 1 fields where the rows before it have 2"),
        ("a,b\n1,x\n", "p.csv line 2: b: \"x\" is not a number"),
        ("1,2\n1,\n", "p.csv line 2: column 2: \"\" is not a number"),
        ("a,b\n1,nan\n", "p.csv line 2: b: nan is not a finite number"),
        ("a,b\n1,1e999\n", "p.csv line 2: b: 1e999 is not a finite number"),
    ] {
        let error = read_points(&input("p.csv", text), LIMIT).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text:?}: {error}");
    }
}

#[test]
fn arrays_are_points() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("p.npy");
    write_npy(&file, &[2, 3], NpyData::F64(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])).unwrap();
    let points = read_points(&Input::read(&file, LIMIT).unwrap(), LIMIT).unwrap();
    assert_eq!((points.n, points.dims), (2, 3));
    write_npy(&file, &[2, 1, 3], NpyData::F64(&[0.0; 6])).unwrap();
    let error = read_points(&Input::read(&file, LIMIT).unwrap(), LIMIT).unwrap_err().to_string();
    assert!(error.contains("p.npy: the array  has the shape [2, 1, 3]"), "{error}");
    write_npy(&file, &[2, 2], NpyData::F64(&[0.0, 1.0, f64::NAN, 2.0])).unwrap();
    let error = read_points(&Input::read(&file, LIMIT).unwrap(), LIMIT).unwrap_err().to_string();
    assert!(error.contains("p.npy: row 2 column 1 (counted from 1): NaN is not a finite number"), "{error}");
    let stored = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oracle/numpy_npy/stored.npz");
    let archive = Input::read(stored.as_ref(), LIMIT).unwrap();
    let error = read_points(&archive, 10).unwrap_err().to_string();
    assert!(error.contains("stored.npz: the arrays take more than 10 bytes"), "{error}");
}

#[test]
fn a_square_matrix_by_columns_is_not_turned() {
    let stored = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oracle/scipy/csc.npz");
    let points = read_points(&Input::read(stored.as_ref(), LIMIT).unwrap(), LIMIT).unwrap();
    assert_eq!((points.n, points.values), (2, vec![1.0, 2.0, 0.0, 3.0]));
}

#[test]
fn edge_lists_are_read_as_documented() {
    let read = |text: &str| read_edges(&input("e.csv", text), &rules()).unwrap();
    let plain = read("u,v\n0,1\n3,1\n");
    assert_eq!((plain.affinity.n(), plain.affinity.edges(), plain.weighted), (4, &[[0, 1], [1, 3]][..], false));
    let named = read("from,to,weight\nb,a,2\na,c,0.5\n");
    assert_eq!(named.ids.unwrap(), ["b", "a", "c"]);
    assert_eq!(named.affinity.weights(), [2.0, 0.5]);
    // A header is told by its weight, or by being the only row without numbers.
    assert_eq!(read("p,q,strength\n0,1,3\n").affinity.weights(), [3.0]);
    assert_eq!(read("first second\n0 1\n").affinity.n(), 2);
    assert_eq!(read("ann bob\nbob carl\n").affinity.n(), 3);
    let columns = read("time,source,weight,target\n9,0,2,1\n");
    assert_eq!((columns.affinity.edges(), columns.affinity.weights()), (&[[0, 1]][..], &[2.0][..]));
    let repeated = read("0 1\n0 1\n1 1\n");
    assert_eq!(repeated.affinity.weights(), [1.0]);
    assert_eq!(repeated.notes, [TableNote::SelfLoops(1), TableNote::Repeats(1)]);
    assert_eq!(read("0 1 1.5\n0 1 2\n").affinity.weights(), [3.5]);
    assert_eq!(read("0 1\n1 0\n").notes, [TableNote::BothWays]);
    let wide = EdgeRules { nodes: 7, ..rules() };
    assert_eq!(read_edges(&input("e", "0 1\n"), &wide).unwrap().affinity.n(), 7);
}

#[test]
fn bad_edges_name_their_line() {
    for (text, message) in [
        ("", "e.txt: there is nothing in it"),
        ("u v\n", "e.txt: there is nothing in it"),
        ("0 1 2 3\n", "e.txt line 1: an edge has 2 fields, or 3 with its weight; this row has 4"),
        ("0 1\n0\n", "e.txt line 2: the row has 1 fields where the rows before it have 2"),
        ("0 1 1\n0 2 nan\n", "e.txt line 2: weight: nan is not a finite number"),
        ("0 1 1\n0 2 x\n", "e.txt line 2: weight: \"x\" is not a number"),
        ("0 1 1\n0 2 -1\n", "e.txt line 2: the weight -1 is negative"),
        ("0 1\n0 -2\n", "e.txt line 2: the node -2 is negative"),
        ("0 1 1\n1 0 2\n", "e.txt line 2: the graph is directed: 0 -> 1 has weight 1, 1 -> 0 has 2"),
        ("0 1\n1 0\n1 2\n", "e.txt line 3: the graph is directed"),
        ("0 1\n0 9000000000000000000\n", "e.txt: a graph of 9000000000000000001 nodes"),
    ] {
        let error = read_edges(&input("e.txt", text), &rules()).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text:?}: {error}");
    }
    let negative = EdgeRules { negative: true, ..rules() };
    assert_eq!(read_edges(&input("e", "0 1 -2\n"), &negative).unwrap().affinity.weights(), [-2.0]);
}

const BANNER: &str = "%%MatrixMarket matrix coordinate real";

#[test]
fn matrices_are_graphs_and_rows() {
    let graph = |text: &str| read_matrix_graph(&input("w.mtx", text), &rules()).unwrap();
    let general = graph(&format!("{BANNER} general\n% c\n2 2 3\n1 2 0.5\n2 1 0.5\n1 1 4\n"));
    assert_eq!((general.affinity.weights(), &general.notes[..]), (&[0.5][..], &[TableNote::SelfLoops(1)][..]));
    let pattern = graph("%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 1\n");
    assert_eq!(pattern.affinity.weights(), [1.0, 1.0]);
    let dense = graph("%%MatrixMarket matrix array real symmetric\n2 2\n0\n0.25\n0\n");
    assert_eq!(dense.affinity.weights(), [0.25]);
    let rows = format!("{BANNER} general\n2 3 2\n1 3 5\n2 1 7\n");
    let rows = read_matrix_rows(&input("f.mtx", &rows), LIMIT).unwrap();
    assert_eq!((rows.n, rows.dims, &rows.values[..]), (2, 3, &[0.0, 0.0, 5.0, 7.0, 0.0, 0.0][..]));
    let square = read_points(&input("s.csv", "0,1\n1,0\n"), LIMIT).unwrap();
    assert_eq!(affinity_of(&input("s.csv", ""), &square, &rules()).unwrap().affinity.weights(), [1.0]);
}

#[test]
fn bad_matrices_name_their_line() {
    let general = |rest: &str| format!("{BANNER} general\n{rest}");
    for (text, message) in [
        (String::new(), "w.mtx: there is nothing in it"),
        ("1 2 3\n".into(), "w.mtx line 1: the header \"1 2 3\" is not read"),
        ("%%MatrixMarket matrix coordinate complex general\n1 1 0\n".into(), "w.mtx line 1: the header"),
        (general("2 2\n"), "w.mtx line 2: \"2 2\" is no size line"),
        (general("2 3 0\n"), "w.mtx line 2: the matrix is 2 x 3"),
        (general("2 2 1\n1 2\n"), "w.mtx line 3: the row has 2 fields"),
        (general("2 2 1\n1 3 1\n"), "w.mtx line 3: the index (1, 3) lies outside the matrix of 2 x 2"),
        (general("2 2 1\n0 1 1\n"), "w.mtx line 3: the index (0, 1) lies outside"),
        (general("2 2 1\n1 2 inf\n"), "w.mtx line 3: value: inf is not a finite number"),
        (general("2 2 2\n1 2 1\n"), "w.mtx: the matrix has 1 entries where its header says 2"),
        (general("2 2 1\n1 2 1\n"), "w.mtx line 3: the graph is directed: 1 -> 2 has weight 1, 2 -> 1 has 0"),
        (general("2 2 2\n1 2 -1\n2 1 -1\n"), "w.mtx line 3: the weight -1 is negative"),
        (general("4000000000 4000000000 0\n"), "w.mtx: a graph of 4000000000 nodes and 0 edges would take"),
    ] {
        let error = read_matrix_graph(&input("w.mtx", &text), &rules()).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text:?}: {error}");
    }
    let wide = general("90000000 90000000 0\n");
    let error = read_matrix_rows(&input("f.mtx", &wide), LIMIT).unwrap_err().to_string();
    assert!(error.contains("the dense form of 90000000 x 90000000 values would take"), "{error}");
}

#[test]
fn labels_belong_to_nodes() {
    let labels = |text: &str| read_labels(&input("t.csv", text), LIMIT).unwrap();
    assert_eq!(labels("0,5\n1,7\n").for_nodes(&input("t", ""), 3, None).unwrap(), [0, 1, VOID]);
    assert_eq!(labels("label\n5\n-1\n").for_nodes(&input("t", ""), 2, None).unwrap(), [0, VOID]);
    assert_eq!(labels("0,5,5\n1,1,0\n").labels, [0, 2, 2, 1, 1, 0]);
    let names = ["b".to_owned(), "a".to_owned()];
    assert_eq!(labels("node,truth\na,9\nb,10\n").for_nodes(&input("t", ""), 2, Some(&names)).unwrap(), [1, 0]);
    assert_eq!(labels("node,label\n4,0\n2,0\n").nodes(), 5);
    for (text, message) in [
        ("label\n1\n", "t: there are 1 labels for 2 nodes"),
        ("node,label\n2,1\n", "t: there is no node 2"),
        ("node,label\n1,1\n1,0\n", "t: the node 1 has two labels"),
    ] {
        assert_eq!(labels(text).for_nodes(&input("t", ""), 2, None).unwrap_err().to_string(), message);
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "[0-9a,\\. \\-\n#%eu\"]{0,80}", head in 0usize..3) {
        let banner = ["", "%%MatrixMarket matrix coordinate real general\n", "%%MatrixMarket matrix array real symmetric\n"];
        let input = input("any", &format!("{}{text}", banner[head]));
        let _ = read_points(&input, LIMIT);
        let _ = read_edges(&input, &rules());
        let _ = read_matrix_graph(&input, &rules());
        let _ = read_matrix_rows(&input, LIMIT);
        if let Ok(labels) = read_labels(&input, LIMIT) {
            let _ = labels.for_nodes(&input, 3, None);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), head in 0usize..3) {
        let magic: [&[u8]; 3] = [b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04"];
        let input = Input { file: "any".into(), bytes: [magic[head], &bytes].concat() };
        let _ = read_points(&input, LIMIT);
        let _ = read_edges(&input, &rules());
    }
}
