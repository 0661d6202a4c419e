//! The flags of `compare` → what is to be done, checked before any work.

use crate::args::{CompareArgs, Task};
use crate::exit::Failure;
use crate::image_job::decode_options;
use crate::recipe_choice::{change, load, pipeline};
use crate::scoring::task_of;
use crate::truth::TruthTable;
use segcut::Pipeline;
use segcut_io::dataset::{Dataset, Item};
use segcut_io::decode::DecodeOptions;
use std::path::Path;

/// One recipe of the comparison.
#[derive(Debug)]
pub struct Contender {
    /// The recipe's name, or its file's stem; also the name of its folder.
    pub name: String,
    /// Its pipeline.
    pub pipeline: Pipeline,
}

/// Recipes that read images in the same way, in batches that share superpixels and graph.
#[derive(Debug, PartialEq)]
pub struct Group {
    /// How images are read.
    pub decode: DecodeOptions,
    /// Indices of recipes.
    pub batches: Vec<Vec<usize>>,
}

/// Everything that a comparison does.
#[derive(Debug)]
pub struct Plan {
    /// The images, sorted by path.
    pub items: Vec<Item>,
    /// Their truth, where there is any.
    pub truth: Option<TruthTable>,
    /// What is scored.
    pub task: Option<Task>,
    /// The recipes; the first is what the others are compared with.
    pub contenders: Vec<Contender>,
    /// The order of the work.
    pub groups: Vec<Group>,
    /// What the user should know.
    pub notes: Vec<String>,
}

impl Plan {
    /// Checks flags, recipes, data and truth.
    pub fn new(args: &CompareArgs) -> Result<Self, Failure> {
        if args.recipes.len() < 2 {
            return Err(Failure::usage("compare needs two recipes or more: --recipe A --recipe B"));
        }
        let mut contenders: Vec<Contender> = Vec::new();
        for asked in &args.recipes {
            let mut recipe = load(asked)?;
            change(&mut recipe, &args.change)?;
            let name = unused_name(&safe_name(asked), &contenders);
            contenders.push(Contender { name, pipeline: pipeline(&recipe, args.features.cache.as_deref())? });
        }
        let data = Dataset::open(&args.data, std::slice::from_ref(&args.output)).map_err(Failure::no_input)?;
        let mut notes: Vec<String> =
            data.skipped.iter().map(|s| format!("{}: {:?}", s.path.display(), s.why)).collect();
        let mut items = data.items;
        items.truncate(args.limit.unwrap_or(usize::MAX));
        let truth = TruthTable::find(&args.data, &args.truth, &items)?;
        if let Some(table) = &truth {
            notes.extend(table.notes(&items, args.truth.allow_missing)?);
        }
        let task = task_of(args.truth.task, truth.as_ref().and_then(TruthTable::task));
        let decode = |contender: &Contender| decode_options(&args.decode, &contender.pipeline);
        let groups = groups(&contenders, decode);
        Ok(Self { items, truth, task, contenders, groups, notes })
    }
}

/// The first recipe is in the first batch of the first group.
fn groups(contenders: &[Contender], decode: impl Fn(&Contender) -> DecodeOptions) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, contender) in contenders.iter().enumerate() {
        let options = decode(contender);
        let Some(group) = groups.iter_mut().find(|group| group.decode == options) else {
            groups.push(Group { decode: options, batches: vec![vec![index]] });
            continue;
        };
        let alike = |batch: &&mut Vec<usize>| contenders[batch[0]].pipeline.prepares_like(&contender.pipeline);
        match group.batches.iter_mut().find(alike) {
            Some(batch) => batch.push(index),
            None => group.batches.push(vec![index]),
        }
    }
    groups
}

/// A name that is a folder's on any system: of a file its stem, other characters than letters, digits, `.`, `_` and
/// `-` as `_`.
fn safe_name(asked: &str) -> String {
    let path = Path::new(asked);
    let is_file = path.extension().is_some_and(|e| e == "toml");
    let name = if is_file { path.file_stem() } else { path.file_name() };
    let name = name.map_or_else(|| asked.to_string(), |name| name.to_string_lossy().into_owned());
    let safe = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = name.chars().map(safe).collect();
    if name.is_empty() || name.starts_with('.') { format!("_{name}") } else { name }
}

fn unused_name(name: &str, taken: &[Contender]) -> String {
    let free = |name: &str| taken.iter().all(|contender| !contender.name.eq_ignore_ascii_case(name));
    if free(name) {
        return name.to_string();
    }
    let numbered = (2..).map(|number| format!("{name}-{number}")).find(|name| free(name));
    numbered.unwrap_or_else(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe_choice::load;

    fn contender(settings: &[(&str, &str)]) -> Contender {
        let mut recipe = load("ncut-slic-color").unwrap();
        for (path, value) in settings {
            recipe.set(path, value).unwrap();
        }
        Contender { name: String::new(), pipeline: pipeline(&recipe, None).unwrap() }
    }

    #[test]
    fn names_are_safe_and_unique() {
        assert_eq!(safe_name("my recipes/a b:c.toml"), "a_b_c");
        assert_eq!(safe_name("ncut-slic-color"), "ncut-slic-color");
        assert_eq!(safe_name("../.x.toml"), "_.x");
        let taken =
            [Contender { name: "a".into(), ..contender(&[]) }, Contender { name: "A-2".into(), ..contender(&[]) }];
        assert_eq!(unused_name("a", &taken), "a-3");
    }

    #[test]
    fn recipes_that_prepare_alike_share_a_batch() {
        let plain = contender(&[]);
        let other_superpixels = contender(&[("superpixels.n_segments", "77")]);
        let other_k = contender(&[("cluster.k", "3")]);
        let contenders = [plain, other_superpixels, other_k];
        let found = groups(&contenders, |_| DecodeOptions::default());
        assert_eq!(found, [Group { decode: DecodeOptions::default(), batches: vec![vec![0, 2], vec![1]] }]);
    }
}
