//! Finding images, pairing them with truth, and refusing what would go wrong later.

#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use segcut_core::VOID;
use segcut_io::dataset::{Dataset, DatasetError, PairError, Task, WhySkipped, pair_ids};
use segcut_io::labels::{LabelOptions, write_labels, write_mask};
use segcut_io::truth::{Truth, TruthError, TruthFolder, TruthOptions};
use std::path::{Path, PathBuf};

fn folder(files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let path = dir.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"").unwrap();
    }
    dir
}

fn ids(path: &Path) -> Vec<String> {
    Dataset::open(path, &[]).unwrap().items.into_iter().map(|item| item.id).collect()
}

fn labels(values: &[u32]) -> segcut_core::LabelMap {
    segcut_core::LabelMap::new(1, values.len(), values.to_vec()).unwrap()
}

#[test]
fn images_are_sorted_and_results_and_hidden_files_left_out() {
    let dir =
        folder(&["b.JPG", "a/2.png", "a/10.png", ".x/c.jpg", ".c.jpg", "run/journal.jsonl", "run/d.png", "n.txt"]);
    assert_eq!(ids(dir.path()), ["a/10", "a/2", "b"]);
    let data = Dataset::open(dir.path(), &[dir.path().join("a")]).unwrap();
    assert_eq!(data.items.len(), 1);
    assert_eq!(data.skipped[0].why, WhySkipped::RunFolder);
}

#[test]
fn images_beside_truth_are_found_without_a_description() {
    let dir = folder(&["images/a.jpg", "masks/a.png"]);
    assert_eq!(ids(dir.path()), ["a"]);
    assert_eq!(TruthFolder::open(dir.path(), TruthOptions::default()).unwrap().folder(), dir.path().join("masks"));
}

#[test]
fn twins_are_listed_before_work() {
    let dir = folder(&["a.jpg", "a.png", "B.png", "b.PNG", "c.png"]);
    let error = Dataset::open(dir.path(), &[]).unwrap_err();
    let DatasetError::Twins { groups } = &error else { panic!("{error}") };
    assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    assert!(error.to_string().contains("a.jpg and ") && error.to_string().contains("b.PNG"));
    assert!(matches!(Dataset::open(folder(&["x.txt"]).path(), &[]), Err(DatasetError::Empty { .. })));
}

#[cfg(unix)]
#[test]
fn linked_folders_are_not_entered_linked_files_are_read() {
    use std::os::unix::fs::symlink;
    let dir = folder(&["a.png"]);
    symlink(dir.path(), dir.path().join("loop")).unwrap();
    symlink(dir.path().join("none"), dir.path().join("broken.png")).unwrap();
    symlink(dir.path().join("a.png"), dir.path().join("b.png")).unwrap();
    let data = Dataset::open(dir.path(), &[]).unwrap();
    assert_eq!(data.items.len(), 2);
    let why: Vec<_> = data.skipped.iter().map(|s| s.why).collect();
    assert_eq!(why, [WhySkipped::BrokenLink, WhySkipped::LinkedFolder]);
}

#[cfg(target_os = "linux")]
#[test]
fn odd_names_have_ids() {
    use std::os::unix::ffi::OsStrExt;
    let dir = folder(&["ü b\n.png", "-x.png"]);
    std::fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"\xff%.png")), b"").unwrap();
    assert_eq!(ids(dir.path()), ["-x", "ü b\n", "%FF%25"]);
}

#[test]
fn lists_stay_in_their_folder() {
    let dir = folder(&["x/a.jpg", "x/b.jpg"]);
    let list = dir.path().join("val.txt");
    std::fs::write(&list, "# val\nx/b.jpg\n\nx/a.jpg\nx/b.jpg\n").unwrap();
    assert_eq!(ids(&list), ["x/a", "x/b"]);
    for bad in
        ["../a.jpg", "/etc/a.jpg", "x/../../a.jpg", "C:\\a.jpg", "\\\\host\\a.jpg", "x\\..\\..\\a.jpg", "a\0.jpg"]
    {
        std::fs::write(&list, bad).unwrap();
        assert!(matches!(Dataset::open(&list, &[]), Err(DatasetError::PathEscapes { .. })), "{bad:?}");
    }
    std::fs::write(dir.path().join("dataset.toml"), "image_dir = \"../x\"").unwrap();
    assert!(matches!(Dataset::open(dir.path(), &[]), Err(DatasetError::PathEscapes { .. })));
    std::fs::write(dir.path().join("dataset.toml"), "image_dir = 3").unwrap();
    let error = Dataset::open(dir.path(), &[]).unwrap_err().to_string();
    assert!(error.contains("dataset.toml") && error.contains("image_dir"), "{error}");
}

#[test]
fn names_pair_by_their_ends() {
    assert_eq!(pair_ids(&["a/1", "b/1"], &["b/1", "a/1"]).unwrap(), [Some(1), Some(0)]);
    assert_eq!(pair_ids(&["x/a/1", "11"], &["a/1", "1"]).unwrap(), [Some(0), None]);
    assert!(matches!(pair_ids(&["1"], &["a/1", "b/1"]), Err(PairError::Ambiguous { .. })));
    assert!(matches!(pair_ids(&["a/1", "b/1"], &["1"]), Err(PairError::Shared { .. })));
}

proptest! {
    #[test]
    fn every_name_finds_itself(names in prop::collection::btree_set("[ab]/[ab]{1,2}|[ab]{1,2}", 1..8), turn in 0..8usize) {
        let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut available = wanted.clone();
        available.rotate_left(turn % wanted.len());
        let pairs = pair_ids(&wanted, &available).unwrap();
        for (name, partner) in wanted.iter().zip(pairs) {
            prop_assert_eq!(available[partner.unwrap()], *name);
        }
    }
}

#[test]
fn annotator_folders_and_single_files_are_told_apart_by_the_images() {
    let dir = tempfile::tempdir().unwrap();
    let options = LabelOptions::default();
    for (file, values) in [("v/7/1.png", [1, 1, 2]), ("v/7/2.png", [5, 5, 5]), ("v/8/1.png", [0, 1, 2])] {
        write_labels(&dir.path().join(file), &labels(&values), &options).unwrap();
    }
    let truth = TruthFolder::open(dir.path(), TruthOptions::default()).unwrap();
    let pairs = truth.pair(&["7"]).unwrap();
    assert_eq!(pairs.unused, ["v/8"]);
    let Truth::Regions { annotators } = truth.load(pairs.entries[0].as_ref().unwrap()).unwrap() else { panic!() };
    assert_eq!(annotators.len(), 2);
    assert_eq!(annotators[0].labels, labels(&[0, 0, 1]));
    let pairs = truth.pair(&["v/7/1", "v/7/2"]).unwrap();
    assert_eq!(pairs.entries.iter().flatten().count(), 2);
    write_labels(&dir.path().join("v/7/3.png"), &labels(&[1, 1]), &options).unwrap();
    let truth = TruthFolder::open(dir.path(), TruthOptions::default()).unwrap();
    let entry = truth.pair(&["7"]).unwrap().entries.remove(0).unwrap();
    assert!(matches!(truth.load(&entry), Err(TruthError::Sizes { .. })));
}

#[test]
fn a_file_of_black_and_white_is_a_mask_and_the_options_decide_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let mask = segcut_core::Mask::new(1, 3, vec![true, false, true]).unwrap();
    write_mask(&dir.path().join("a.png"), &mask).unwrap();
    write_labels(&dir.path().join("b.png"), &labels(&[3, 4, 4]), &LabelOptions::default()).unwrap();
    let load = |id: &str, options: TruthOptions| {
        let truth = TruthFolder::open(dir.path(), options).unwrap();
        truth.load(truth.pair(&[id]).unwrap().entries[0].as_ref().unwrap()).unwrap()
    };
    let auto = TruthOptions::default();
    assert_eq!(load("a", auto.clone()), Truth::Mask { mask, valid: None });
    let Truth::Regions { annotators } = load("b", auto) else { panic!() };
    assert_eq!(annotators[0].labels, labels(&[0, 1, 1]));
    let classes = TruthOptions { task: Some(Task::Semantic), ignore_label: Some(4), ..TruthOptions::default() };
    assert_eq!(load("b", classes), Truth::Semantic(labels(&[3, VOID, VOID])));
    let masks =
        TruthOptions { task: Some(Task::Mask), fg_above: Some(3), ignore_label: Some(3), ..TruthOptions::default() };
    let Truth::Mask { mask, valid } = load("b", masks) else { panic!() };
    assert_eq!((mask.bits(), valid.unwrap().bits()), (&[false, true, true][..], &[false, true, true][..]));
    assert!(Truth::Mask { mask, valid: None }.check_size(3, 1).is_err());
}

/// Folder of data, folder of truth, images, and what the truth is.
const PACKS: [(&str, &str, usize, Task); 18] = [
    ("bsds500", "bsds500", 300, Task::Regions),
    ("bsds500", "bsds500/groundTruth", 300, Task::Regions),
    ("bsds500/images/val", "bsds500", 100, Task::Regions),
    ("bsds500/images/val", "bsds500/groundTruth/val", 100, Task::Regions),
    ("bsds500/images", "bsds500/groundTruth", 300, Task::Regions),
    ("bsds500", "bsds500/sod_masks", 300, Task::Mask),
    ("ecssd", "ecssd", 500, Task::Mask),
    ("duts_tr", "duts_tr", 403, Task::Mask),
    ("horses", "horses/masks", 164, Task::Mask),
    ("coco", "coco", 60, Task::Regions),
    ("coco", "coco/semantic", 60, Task::Semantic),
    ("camvid", "camvid", 31, Task::Semantic),
    ("dubai_aerial", "dubai_aerial", 36, Task::Semantic),
    ("sentinel2", "sentinel2", 10, Task::Semantic),
    ("medical/liver_ct", "medical/liver_ct", 11, Task::Mask),
    ("medical/spleen_ct", "medical/spleen_ct", 9, Task::Mask),
    ("medical/left_atrium_mri", "medical/left_atrium_mri", 7, Task::Mask),
    ("medical/breast_us", "medical/breast_us", 11, Task::Mask),
];

#[test]
fn the_shared_packs_pair_and_load_as_they_lie() {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !root.is_dir() {
        println!("skipped: the data sets are not here");
        return;
    }
    for (data, truth, images, task) in PACKS {
        let data = Dataset::open(&root.join(data), &[]).unwrap();
        assert_eq!(data.items.len(), images);
        assert!(data.description.is_some());
        let truth = TruthFolder::open(&root.join(truth), TruthOptions::default()).unwrap();
        let ids: Vec<&str> = data.items.iter().map(|item| item.id.as_str()).collect();
        let pairs = truth.pair(&ids).unwrap();
        assert!(pairs.entries.iter().all(Option::is_some), "{}", truth.folder().display());
        for entry in pairs.entries.iter().flatten().step_by(25) {
            let found = match truth.load(entry).unwrap() {
                Truth::Regions { annotators } => {
                    assert!(annotators.iter().all(|a| a.labels.n() > 0));
                    Task::Regions
                }
                Truth::Mask { .. } => Task::Mask,
                Truth::Semantic(_) => Task::Semantic,
            };
            assert_eq!(found, task, "{}", truth.folder().display());
        }
    }
}
