//! Folder → the predictions in it: which file belongs to which image and setting.

use super::thresholds;
use crate::args::Task;
use crate::exit::Failure;
use segcut_io::dataset::{Dataset, Item};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the files hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Label maps: the names or the folder say so.
    Labels,
    /// Gray masks, by their names.
    Mask,
    /// Label maps, or gray masks where a mask is scored and the file has no palette.
    Plain,
    /// Ultrametric maps on the doubled grid.
    Ultrametric,
}

/// The predictions for one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicted {
    /// Its name, which pairs it with the truth.
    pub id: String,
    /// One file per setting; a single one for ultrametric maps.
    pub files: Vec<Option<PathBuf>>,
}

/// All predictions of a folder.
#[derive(Debug)]
pub struct Predictions {
    /// What the files hold.
    pub form: Form,
    /// Swept values in order; one empty name without a sweep.
    pub settings: Vec<String>,
    /// The heights of the settings, for ultrametric maps.
    pub heights: Vec<f32>,
    /// The images, sorted by name.
    pub images: Vec<Predicted>,
    /// Files that are no predictions for this task.
    pub left_out: usize,
}

/// How many of these names have truth, or why they cannot be paired.
pub type Paired<'a> = dyn Fn(&[&str]) -> Result<usize, Failure> + 'a;

/// What names of files end with, before the extension. A number may follow `soft` and `eigenvector`.
const ENDINGS: [&str; 7] = ["labels", "superpixels", "mask", "ucm", "overlay", "soft", "eigenvector"];
const EXTENSIONS: [&str; 3] = ["png", "tif", "tiff"];

impl Predictions {
    /// Finds the predictions in a folder; of a run's folder, in its `labels`.
    ///
    /// Of files like `ID.labels.png` and `ID.superpixels.png` those are taken that the task asks for; names without
    /// such an ending count where no file has one. A folder per value is a sweep: several folders, in which the
    /// same names recur that do not pair with the truth as they stand.
    pub fn find(
        folder: &Path,
        task: Option<Task>,
        heights: Option<Vec<f32>>,
        paired: &Paired<'_>,
    ) -> Result<Self, Failure> {
        let of_run = folder.join("labels");
        let in_run = of_run.is_dir();
        let base = if in_run { of_run.as_path() } else { folder };
        if !base.is_dir() {
            return Err(Failure::no_input(format!("{} is no folder", base.display())));
        }
        let mut items = Dataset::open(base, &[]).map_err(|_| nothing(base))?.items;
        items.retain(|item| extension(&item.image).is_some_and(|e| EXTENSIONS.contains(&e.as_str())));
        let found = items.len();
        let (form, files) = of_task(items, task, heights.is_some());
        if files.is_empty() {
            return Err(nothing(base));
        }
        let form = if in_run && form == Form::Plain { Form::Labels } else { form };
        let left_out = found - files.len();
        if form == Form::Ultrametric {
            let heights = heights.unwrap_or_else(|| thresholds::evenly(thresholds::DEFAULT_COUNT));
            let settings = heights.iter().map(ToString::to_string).collect();
            return Ok(Self { form, settings, heights, images: single(files), left_out });
        }
        let (settings, images) = arrange(files, paired)?;
        Ok(Self { form, settings, heights: Vec::new(), images, left_out })
    }

    /// Whether a parameter was swept.
    pub fn swept(&self) -> bool {
        self.settings.iter().any(|setting| !setting.is_empty())
    }
}

fn nothing(folder: &Path) -> Failure {
    Failure::no_input(format!("{} holds no predictions (label PNG or TIFF)", folder.display()))
}

fn extension(path: &Path) -> Option<String> {
    path.extension().map(|e| e.to_string_lossy().to_lowercase())
}

/// `a/b.labels` → `a/b` and `labels`.
fn split_ending(id: &str) -> (&str, Option<&'static str>) {
    let Some((stem, last)) = id.rsplit_once('.') else { return (id, None) };
    if stem.is_empty() || stem.ends_with('/') {
        return (id, None);
    }
    let word = last.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = word != last;
    let ending = ENDINGS.iter().find(|&&e| e == word && (!numbered || ["soft", "eigenvector"].contains(&e)));
    ending.map_or((id, None), |&ending| (stem, Some(ending)))
}

/// The files of the first ending that the task accepts and that occurs, with the names cut to ids.
fn of_task(items: Vec<Item>, task: Option<Task>, cut: bool) -> (Form, Vec<(String, PathBuf)>) {
    let accepted: &[(Option<&str>, Form)] = match task {
        _ if cut => &[(Some("ucm"), Form::Ultrametric), (None, Form::Ultrametric)],
        Some(Task::Mask) => &[(Some("mask"), Form::Mask), (Some("labels"), Form::Labels), (None, Form::Plain)],
        Some(Task::Superpixels) => {
            &[(Some("superpixels"), Form::Labels), (Some("labels"), Form::Labels), (None, Form::Plain)]
        }
        _ => &[
            (Some("labels"), Form::Labels),
            (Some("ucm"), Form::Ultrametric),
            (Some("superpixels"), Form::Labels),
            (Some("mask"), Form::Mask),
            (None, Form::Plain),
        ],
    };
    let occurs = |ending: Option<&str>| items.iter().any(|item| split_ending(&item.id).1 == ending);
    let Some(&(ending, form)) = accepted.iter().find(|(ending, _)| occurs(*ending)) else {
        return (Form::Plain, Vec::new());
    };
    let files = items.into_iter().filter(|item| split_ending(&item.id).1 == ending);
    (form, files.map(|item| (split_ending(&item.id).0.to_string(), item.image)).collect())
}

/// Files → settings and images, sorted.
fn arrange(files: Vec<(String, PathBuf)>, paired: &Paired<'_>) -> Result<(Vec<String>, Vec<Predicted>), Failure> {
    let Some(sweep) = as_sweep(&files) else { return Ok((vec![String::new()], single(files))) };
    let ids: Vec<&str> = files.iter().map(|(id, _)| id.as_str()).collect();
    if matches!(paired(&ids), Ok(count) if count > 0) {
        return Ok((vec![String::new()], single(files)));
    }
    Ok(sweep)
}

fn single(files: Vec<(String, PathBuf)>) -> Vec<Predicted> {
    let mut images: Vec<Predicted> =
        files.into_iter().map(|(id, path)| Predicted { id, files: vec![Some(path)] }).collect();
    images.sort_by(|a, b| a.id.cmp(&b.id));
    images
}

/// The names read as VALUE/ID, where every file lies in a folder and an id occurs in two of them.
fn as_sweep(files: &[(String, PathBuf)]) -> Option<(Vec<String>, Vec<Predicted>)> {
    let split: Option<Vec<(&str, &str)>> = files.iter().map(|(id, _)| id.split_once('/')).collect();
    let split = split?;
    let mut values: Vec<&str> = split.iter().map(|(value, _)| *value).collect();
    values.sort_unstable();
    values.dedup();
    sort_values(&mut values);
    let mut images: BTreeMap<&str, Vec<Option<PathBuf>>> = BTreeMap::new();
    for (&(value, id), (_, path)) in split.iter().zip(files) {
        let place = values.iter().position(|v| *v == value)?;
        images.entry(id).or_insert_with(|| vec![None; values.len()])[place] = Some(path.clone());
    }
    if !images.values().any(|files| files.iter().flatten().count() > 1) {
        return None;
    }
    let images = images.into_iter().map(|(id, files)| Predicted { id: id.to_string(), files }).collect();
    Some((values.into_iter().map(ToString::to_string).collect(), images))
}

/// By number where all are numbers, by name otherwise.
fn sort_values(values: &mut [&str]) {
    let numbers: Option<Vec<f64>> = values.iter().map(|value| value.parse().ok()).collect();
    if numbers.is_some_and(|numbers| numbers.iter().all(|n| n.is_finite())) {
        let number = |value: &str| value.parse::<f64>().unwrap_or(f64::INFINITY);
        values.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| a.cmp(b)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(ids: &[&str]) -> Vec<(String, PathBuf)> {
        ids.iter().map(|id| (id.to_string(), PathBuf::from(format!("{id}.png")))).collect()
    }

    #[test]
    fn endings_are_cut_off() {
        assert_eq!(split_ending("val/1.labels"), ("val/1", Some("labels")));
        assert_eq!(split_ending("1.soft12"), ("1", Some("soft")));
        assert_eq!(split_ending("a.superpixels.overlay"), ("a.superpixels", Some("overlay")));
        assert_eq!(split_ending("img.1"), ("img.1", None));
        assert_eq!(split_ending("a.labels2"), ("a.labels2", None));
        assert_eq!(split_ending("a/.mask"), ("a/.mask", None));
    }

    #[test]
    fn the_task_says_which_files_count() {
        let items = || {
            let names = ["x", "x.labels", "x.overlay", "x.superpixels", "x.mask", "y.labels"];
            names.map(|id| Item { id: id.into(), image: id.into() }).to_vec()
        };
        let taken = |task, cut| {
            let (form, files) = of_task(items(), task, cut);
            (form, files.into_iter().map(|(id, path)| format!("{id} {}", path.display())).collect::<Vec<_>>())
        };
        assert_eq!(taken(None, false), (Form::Labels, vec!["x x.labels".into(), "y y.labels".into()]));
        assert_eq!(taken(Some(Task::Superpixels), false).1, ["x x.superpixels"]);
        assert_eq!(taken(Some(Task::Mask), false), (Form::Mask, vec!["x x.mask".into()]));
        assert_eq!(taken(None, true), (Form::Ultrametric, vec!["x x".into()]));
    }

    #[test]
    fn folders_of_the_same_names_are_a_sweep_sorted_by_number() {
        let none = |_: &[&str]| Ok(0);
        let (values, images) = arrange(files(&["10/a", "2/a", "2/val/b", "10/val/b", "9/a"]), &none).unwrap();
        assert_eq!(values, ["2", "9", "10"]);
        assert_eq!(images.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["a", "val/b"]);
        assert_eq!(images[1].files, [Some("2/val/b.png".into()), None, Some("10/val/b.png".into())]);
    }

    #[test]
    fn folders_that_pair_as_they_stand_are_no_sweep() {
        let all = |ids: &[&str]| Ok(ids.len());
        assert_eq!(arrange(files(&["seq1/1", "seq2/1"]), &all).unwrap().0, [""]);
        let none = |_: &[&str]| Ok(0);
        assert_eq!(arrange(files(&["train/1", "val/2"]), &none).unwrap().0, [""]);
        assert_eq!(arrange(files(&["1", "2"]), &none).unwrap().0, [""]);
    }
}
