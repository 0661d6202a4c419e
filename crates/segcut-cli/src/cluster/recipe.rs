//! Options → recipe → clusterer.

use super::args::{AffinityName, ClusterArgs, CutName, Format, Method, ThresholdName};
use crate::exit::Failure;
use crate::recipe_choice::{read, refusal, split};
use segcut::{Grouping, Recipe, Registry};

/// What was chosen.
#[derive(Debug)]
pub struct Chosen {
    /// The method's name in `--json`.
    pub method: String,
    /// The recipe.
    pub recipe: Recipe,
    /// Graph of points and clusterer.
    pub grouping: Grouping,
    /// The number of clusters, where one is fixed that the nodes at hand must fill.
    pub k: Option<usize>,
    /// Whether points need a graph.
    pub needs_graph: bool,
    /// Whether the number of neighbours was asked for.
    pub neighbors_asked: bool,
    /// Whether features are read as they are, since a model meets others later; else their mean is taken away.
    pub learned: bool,
}

/// The recipe that the options make, with the changes made.
pub fn choose(args: &ClusterArgs, max_bytes: u64) -> Result<Chosen, Failure> {
    let mut recipe = match &args.task.recipe {
        Some(name) => read(name)?,
        None => Recipe::parse("segcut cluster", &start(args, max_bytes)).map_err(Failure::usage)?,
    };
    let registry = Registry::standard();
    Grouping::from_recipe(&recipe, &registry).map_err(refusal)?;
    for (flag, key, value) in settings(args)? {
        recipe.set(key, &value).map_err(|e| Failure::usage(format!("{flag}: {e}")))?;
        // Told at once, so that the message names the flag.
        Grouping::from_recipe(&recipe, &registry)
            .map_err(|e| Failure::usage(format!("{flag} {}: {e}", value.trim_matches('"'))))?;
    }
    for setting in &args.task.change.set {
        let (path, value) = split(setting)?;
        recipe.set(path, value).map_err(Failure::usage)?;
    }
    let grouping = Grouping::from_recipe(&recipe, &registry).map_err(refusal)?;
    let cluster = &grouping.resolved()["cluster"];
    let kind = cluster.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default().to_string();
    let k = cluster.get("k").and_then(|k| k.as_integer()).and_then(|k| usize::try_from(k).ok());
    let k = k.filter(|_| recipe.model().is_none());
    let method = match (&args.task.recipe, args.task.method) {
        (Some(_), _) => kind.clone(),
        (None, method) => method.unwrap_or(Method::Spectral).word().to_string(),
    };
    let needs_graph = grouping.clusterer().needs_edges() || graph_asked(args);
    let learned = registry.learner_kinds().contains(&kind);
    let neighbors_asked =
        args.task.graph.n_neighbors.is_some() || args.task.recipe.is_some() || !args.task.change.set.is_empty();
    Ok(Chosen { method, recipe, grouping, k, needs_graph, neighbors_asked, learned })
}

/// k-means needs no graph; where one is described, its cut values are told.
fn graph_asked(args: &ClusterArgs) -> bool {
    let g = &args.task.graph;
    g.affinity.is_some() || g.n_neighbors.is_some() || g.gamma.is_some() || g.epsilon.is_some() || g.kernel.is_some()
}

/// DMoN as published, but for attributes reduced to their strongest directions, and larger steps.
const DMON: &str = "kind = \"community\"\nhops = [0]\ndims = 256\nstart = \"random\"\nreconstruction = 0.0\n\
    collapse = 1.0\ndropout = 0.5\nepochs = 1000\ntolerance = 0.0\nrefine_sweeps = 0\n";

/// The method's table before any option: two clusters where the method cuts a vector in two.
fn start(args: &ClusterArgs, max_bytes: u64) -> String {
    let method = args.task.method.unwrap_or(Method::Spectral);
    let mut text = String::from("[cluster]\n");
    let max_bytes = i64::try_from(max_bytes).unwrap_or(i64::MAX);
    match method {
        Method::Spectral => {
            let in_two = args.tuning.threshold.is_some()
                || args.tuning.assign.is_some_and(|assign| ["sign", "threshold"].contains(&assign.word()));
            let k = if in_two { "2" } else { "\"auto\"" };
            text += &format!("kind = \"ncut\"\nk = {k}\nassign = \"kmeans\"\nmax_bytes = {max_bytes}\n");
            if args.report.is_some() {
                text += "spare_values = 1\n";
            }
        }
        Method::Pspectral | Method::Onespectral => {
            text += &format!("kind = \"{}\"\nmax_bytes = {max_bytes}\n", method.word());
        }
        Method::Gcn => text += "kind = \"community\"\n",
        Method::Dmon => text += DMON,
        other => text += &format!("kind = \"{}\"\n", other.word()),
    }
    let g = &args.task.graph;
    let affinity = match (g.affinity, g.epsilon, g.gamma) {
        (Some(AffinityName::Precomputed), ..) | (None, None, None) => None,
        (Some(affinity), ..) => Some(affinity),
        (None, Some(_), _) => Some(AffinityName::Epsilon),
        (None, None, Some(_)) if g.kernel.is_none() && g.n_neighbors.is_none() => Some(AffinityName::Rbf),
        _ => None,
    };
    text += "[points]\n";
    if let Some(affinity) = affinity {
        text += &format!("affinity = \"{}\"\n", affinity.word());
    }
    // A key of its own, since it is refused where the affinity has none.
    if let Some(epsilon) = g.epsilon {
        text += &format!("epsilon = {epsilon:?}\n");
    }
    text
}

type Setting = (&'static str, &'static str, String);

/// Options with the keys that they set, in the order in which they may be set.
fn settings(args: &ClusterArgs) -> Result<Vec<Setting>, Failure> {
    if let Some(k) =
        args.task.change.k.as_deref().filter(|&k| k != "auto" && k.parse::<usize>().map_or(true, |k| k == 0))
    {
        return Err(Failure::usage(format!("--k {k}: a number of clusters from 1, or auto")));
    }
    let (g, t) = (&args.task.graph, &args.tuning);
    let spectral = args.task.recipe.is_none() && args.task.method.unwrap_or(Method::Spectral) == Method::Spectral;
    let threshold = match t.threshold {
        Some(threshold) if spectral => Some(spectral_threshold(threshold)?),
        threshold => threshold.map(|t| ("cluster.threshold", quoted(t.word()))),
    };
    let cut = t.cut.map(|cut| match (spectral, cut) {
        (true, CutName::Ratio) => ("cluster.laplacian", quoted("unnormalized")),
        (true, CutName::Normalized) => ("cluster.laplacian", quoted("normalized")),
        (false, cut) => ("cluster.cut", quoted(cut.word())),
    });
    let k = args.task.change.k.as_ref().map(|k| if k == "auto" { quoted(k) } else { k.clone() });
    let at = |key: &'static str, value: Option<String>| value.map(|value| (key, value));
    let all = [
        ("--k", at("cluster.k", k)),
        ("--seed", at("seed", args.task.change.seed.map(|seed| seed.to_string()))),
        ("--n-neighbors", at("points.n_neighbors", g.n_neighbors.map(|n| n.to_string()))),
        ("--gamma", at("points.gamma", g.gamma.map(|gamma| format!("{gamma:?}")))),
        ("--kernel", at("points.kernel", g.kernel.map(|kernel| quoted(kernel.word())))),
        ("--symmetry", at("points.symmetry", g.symmetry.map(|symmetry| quoted(symmetry.word())))),
        ("--approximate", at("points.approximate", g.approximate.map(|approximate| quoted(approximate.word())))),
        ("--assign", at("cluster.assign", t.assign.map(|assign| quoted(assign.word())))),
        ("--solver", at("cluster.solver", t.solver.as_deref().map(quoted))),
        ("--tol", at("cluster.tol", t.tol.map(|tol| format!("{tol:?}")))),
        ("--p", at("cluster.p", t.p.map(|p| format!("{p:?}")))),
        ("--p-start", at("cluster.p_start", t.p_start.map(|p| format!("{p:?}")))),
        ("--threshold", threshold),
        ("--cut", cut),
        ("--criterion", at("cluster.criterion", t.criterion.map(|criterion| quoted(criterion.word())))),
    ];
    Ok(all.into_iter().filter_map(|(flag, set)| set.map(|(key, value)| (flag, key, value))).collect())
}

fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}

/// A threshold of the second eigenvector is an assignment of spectral clustering.
fn spectral_threshold(threshold: ThresholdName) -> Result<(&'static str, String), Failure> {
    match threshold {
        ThresholdName::Zero => Ok(("cluster.assign", quoted("sign"))),
        ThresholdName::Best => Ok(("cluster.assign", quoted("threshold"))),
        other => Err(Failure::usage(format!("--threshold {}: spectral cuts at zero or best", other.word()))),
    }
}

/// Options of the graph that have no meaning for this kind of input.
pub fn check_graph_options(args: &ClusterArgs, format: Format) -> Result<(), Failure> {
    let g = &args.task.graph;
    let points = [
        ("--n-neighbors", g.n_neighbors.is_some()),
        ("--gamma", g.gamma.is_some()),
        ("--epsilon", g.epsilon.is_some()),
        ("--kernel", g.kernel.is_some()),
        ("--symmetry", g.symmetry.is_some()),
        ("--approximate", g.approximate.is_some()),
    ];
    let array = [
        ("--mask", g.mask.is_some()),
        ("--connectivity", g.connectivity.is_some()),
        ("--radius", g.radius.is_some()),
        ("--beta", g.beta.is_some()),
    ];
    let wrong = |options: &[(&'static str, bool)]| options.iter().find(|(_, given)| *given).map(|(name, _)| *name);
    let name = match format {
        Format::Points if g.affinity == Some(AffinityName::Precomputed) => wrong(&points).or(wrong(&array)),
        Format::Points => wrong(&array),
        Format::Array => wrong(&points),
        Format::Graph | Format::Edges => wrong(&points).or(wrong(&array)),
    };
    if let Some(name) = name {
        return Err(Failure::usage(format!("{name} has no meaning for an input of the kind {}", format.word())));
    }
    let joins = g.affinity.filter(|&affinity| affinity != AffinityName::Precomputed);
    match joins {
        Some(affinity) if format != Format::Points => Err(Failure::usage(format!(
            "--affinity {}: the input is of the kind {}, whose affinity is its own",
            affinity.word(),
            format.word()
        ))),
        _ => Ok(()),
    }
}
