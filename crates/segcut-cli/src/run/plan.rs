//! The flags of `run` → what is to be done, checked before any work.

use crate::args::{RunArgs, Task};
use crate::exit::Failure;
use crate::recipe_choice::{choose, pipeline, split};
use crate::scoring::task_of;
use crate::truth::TruthTable;
use segcut::Pipeline;
use segcut_io::dataset::{Dataset, Item};

/// One setting of the run: a swept value with its pipeline.
#[derive(Debug)]
pub struct Setting {
    /// The value; empty without a sweep.
    pub value: String,
    /// The pipeline with this value.
    pub pipeline: Pipeline,
}

/// Everything that a run does.
#[derive(Debug)]
pub struct Plan {
    /// All images, sorted by path; those of other shards too.
    pub items: Vec<Item>,
    /// Their truth, where there is any.
    pub truth: Option<TruthTable>,
    /// What is scored.
    pub task: Option<Task>,
    /// One, or one per swept value.
    pub settings: Vec<Setting>,
    /// The recipe as it is stored beside the results.
    pub resolved: String,
    /// Shard i of n.
    pub shard: Option<(usize, usize)>,
    /// What the user should know.
    pub notes: Vec<String>,
}

impl Plan {
    /// Checks flags, recipe, data and truth.
    pub fn new(args: &RunArgs) -> Result<Self, Failure> {
        let settings = settings(args)?;
        let shard = args.shard.as_deref().map(shard).transpose()?;
        let data = Dataset::open(&args.data, std::slice::from_ref(&args.output)).map_err(Failure::no_input)?;
        let mut notes: Vec<String> = data.skipped.iter().map(ToString::to_string).collect();
        let mut items = data.items;
        items.truncate(args.limit.unwrap_or(usize::MAX));
        let truth = TruthTable::find(&args.data, &args.truth, &items)?;
        if let Some(table) = &truth {
            notes.extend(table.notes(&items, args.truth.allow_missing)?);
        }
        let described = data.description.as_ref().and_then(|d| d.task);
        let task = task_of(args.truth.task, described);
        let resolved = stored_recipe(args, &settings)?;
        Ok(Self { items, truth, task, settings, resolved, shard, notes })
    }

    /// Whether an image is this shard's to do.
    pub fn is_mine(&self, item: &Item) -> bool {
        self.shard.is_none_or(|(i, n)| in_shard(&item.id, i, n))
    }

    /// The values in order.
    pub fn values(&self) -> Vec<String> {
        self.settings.iter().map(|setting| setting.value.clone()).collect()
    }
}

fn settings(args: &RunArgs) -> Result<Vec<Setting>, Failure> {
    let recipe = choose(&args.recipe)?;
    let cache = args.recipe.features.cache.as_deref();
    let Some(sweep) = &args.sweep else {
        return Ok(vec![Setting { value: String::new(), pipeline: pipeline(&recipe, cache)? }]);
    };
    let (path, values) = split(sweep)?;
    let mut settings: Vec<Setting> = Vec::new();
    for value in values.split(',').map(str::trim) {
        let unsafe_name = value.is_empty() || value.contains(['/', '\\']) || value.starts_with('.');
        if unsafe_name || settings.iter().any(|s| s.value == value) {
            return Err(Failure::usage(format!(
                "--sweep {sweep}: the value \"{value}\" is empty, repeated or no name"
            )));
        }
        let mut changed = recipe.clone();
        changed.set(path, value).map_err(Failure::usage)?;
        settings.push(Setting { value: value.to_string(), pipeline: pipeline(&changed, cache)? });
    }
    Ok(settings)
}

/// The resolved recipe, with what else decides the results as comments that are compared as well.
fn stored_recipe(args: &RunArgs, settings: &[Setting]) -> Result<String, Failure> {
    let first = settings.first().ok_or_else(|| Failure::usage("--sweep without values"))?;
    let mut text = format!("# recipe: {}\n", args.recipe.recipe);
    if let Some(sweep) = &args.sweep {
        text.push_str(&format!("# sweep: {sweep}\n"));
    }
    let decode = &args.decode;
    text.push_str(&format!(
        "# images: damaged = {:?}, alpha = {:?}, frame = {}, bands = {:?}\n",
        decode.damaged, decode.alpha, decode.frame, decode.bands
    ));
    text.push_str(&toml::to_string(first.pipeline.resolved()).map_err(Failure::usage)?);
    Ok(text)
}

fn shard(text: &str) -> Result<(usize, usize), Failure> {
    let parsed = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match parsed {
        Some((i, n)) if 1 <= i && i <= n => Ok((i, n)),
        _ => Err(Failure::usage(format!("--shard {text}: write it as 1/4 … 4/4"))),
    }
}

/// Which shard an image belongs to follows from its id alone (FNV-1a), not from what lies beside it.
fn in_shard(id: &str, i: usize, n: usize) -> bool {
    let hash = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash % n as u64 == (i - 1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_a_partition() {
        assert!(shard("0/2").is_err() && shard("3/2").is_err() && shard("x").is_err());
        assert_eq!(shard("2/2").unwrap(), (2, 2));
        let ids: Vec<String> = (0..100).map(|i| format!("val/{i}")).collect();
        for id in &ids {
            assert_eq!((1..=3).filter(|&i| in_shard(id, i, 3)).count(), 1);
        }
    }
}
