//! The program `segcut`: images and graphs in, regions and scores out.

mod args;
mod budget;
mod cluster;
mod compare;
mod demo;
mod eval;
mod exit;
mod features;
mod image_job;
mod panics;
mod pictures;
mod predict;
mod print;
mod progress;
mod recipe_choice;
mod recipes;
mod report;
mod run;
mod save;
mod scene;
mod scoring;
mod segment;
mod signals;
mod summary;
mod train;
mod truth;
mod unfinished;
mod weights;
mod workers;

use args::{Cli, Command};
use clap::{CommandFactory, Parser};
use exit::{Failure, Outcome};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    panics::install_hook();
    let ended = catch_unwind(AssertUnwindSafe(|| dispatch(&cli)));
    let outcome = ended.unwrap_or_else(|panic| Err(Failure::inputs(panics::message(&*panic))));
    let code = outcome.unwrap_or_else(|failure| {
        print::note(&format!("error: {failure}"));
        failure.code
    });
    ExitCode::from(code as u8)
}

fn dispatch(cli: &Cli) -> Outcome {
    match &cli.command {
        Command::Segment(args) => segment::segment(args, cli.talk),
        Command::Run(args) => run::run(args, cli.talk),
        Command::Recipes(args) => recipes::recipes(args, cli.talk),
        Command::Weights(args) => weights::weights(args, cli.talk),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "segcut", &mut script);
            print::out_bytes(&script)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(Failure::output)?;
            print::out_bytes(&page)
        }
        Command::Demo(args) => demo::demo(args, cli.talk),
        Command::Eval(args) => eval::eval(args, cli.talk),
        Command::Cluster(args) => cluster::cluster(args, cli.talk),
        Command::Train(args) => train::train(args, cli.talk),
        Command::Predict(args) => predict::predict(args, cli.talk),
        Command::Compare(args) => compare::compare(args, cli.talk),
    }
}
