//! `segcut recipes`: what there is, and what a recipe resolves to.

use crate::args::{RecipesArgs, Talk};
use crate::exit::{Code, Failure, Outcome};
use crate::print::{note, out, out_json};
use crate::recipe_choice::{change, described, load};
use crate::weights::weights_path;
use segcut::{Pipeline, catalog};

/// Lists the recipes, or prints one with its defaults filled in.
pub fn recipes(args: &RecipesArgs, talk: Talk) -> Outcome {
    match &args.name {
        Some(name) => one(name, args, talk),
        None => list(talk),
    }
}

fn list(talk: Talk) -> Outcome {
    let mut rows = Vec::new();
    for entry in catalog() {
        let resolved = described(&load(entry.name)?)?;
        let text = |key: &str| resolved.resolved().get(key).and_then(|v| v.as_str()).unwrap_or("").to_string();
        rows.push((entry.name, text("title"), text("source"), weights_of(&resolved)));
    }
    if talk.json {
        let list: Vec<_> = rows
            .iter()
            .map(|(name, title, source, weights)| {
                let missing = missing(weights);
                serde_json::json!({
                    "name": name, "title": title, "source": source, "weights": weights, "missing_weights": missing,
                })
            })
            .collect();
        return out_json(&list);
    }
    let width = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
    for (name, title, _, weights) in rows {
        let needs = missing(&weights).iter().map(|name| format!(" ({})", needs(name))).collect::<String>();
        out(&format!("{name:width$}  {title}{needs}"))?;
    }
    Ok(Code::Fine)
}

fn one(name: &str, args: &RecipesArgs, talk: Talk) -> Outcome {
    let mut recipe = load(name)?;
    change(&mut recipe, &args.change)?;
    let pipeline = described(&recipe)?;
    for weights in missing(&weights_of(&pipeline)).iter().filter(|_| !talk.quiet) {
        note(&needs(weights));
    }
    if talk.json {
        return out_json(pipeline.resolved());
    }
    out(toml::to_string(pipeline.resolved()).map_err(Failure::usage)?.trim_end())?;
    Ok(Code::Fine)
}

/// The weights that a recipe's extractors name.
fn weights_of(pipeline: &Pipeline) -> Vec<String> {
    let features = pipeline.resolved().get("features").and_then(|v| v.as_array());
    let named = features.into_iter().flatten().filter_map(|table| table.get("weights")?.as_str());
    named.map(str::to_string).collect()
}

/// Those of them that are not on this machine.
fn missing(weights: &[String]) -> Vec<&String> {
    weights.iter().filter(|name| !weights_path(name).is_ok_and(|path| path.is_file())).collect()
}

fn needs(weights: &str) -> String {
    format!("needs weights {weights}: segcut weights fetch {weights}")
}
