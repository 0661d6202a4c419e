//! `segcut recipes`: what there is, and what a recipe resolves to.

use crate::args::{RecipesArgs, Talk};
use crate::exit::{Code, Failure, Outcome};
use crate::print::{out, out_json};
use crate::recipe_choice::{change, load, pipeline};
use segcut::catalog;

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
        let resolved = pipeline(&load(entry.name)?)?;
        let text = |key: &str| resolved.resolved().get(key).and_then(|v| v.as_str()).unwrap_or("").to_string();
        rows.push((entry.name, text("title"), text("source")));
    }
    if talk.json {
        let list: Vec<_> = rows
            .iter()
            .map(|(name, title, source)| serde_json::json!({ "name": name, "title": title, "source": source }))
            .collect();
        return out_json(&list);
    }
    let width = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
    for (name, title, _) in rows {
        out(&format!("{name:width$}  {title}"))?;
    }
    Ok(Code::Fine)
}

fn one(name: &str, args: &RecipesArgs, talk: Talk) -> Outcome {
    let mut recipe = load(name)?;
    change(&mut recipe, &args.change)?;
    let pipeline = pipeline(&recipe)?;
    if talk.json {
        return out_json(pipeline.resolved());
    }
    out(toml::to_string(pipeline.resolved()).map_err(Failure::usage)?.trim_end())?;
    Ok(Code::Fine)
}
