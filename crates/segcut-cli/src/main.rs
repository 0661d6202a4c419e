//! The program `segcut`: images and graphs in, regions and scores out.

mod args;
mod budget;
mod demo;
mod eval;
mod exit;
mod image_job;
mod pictures;
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
mod truth;
mod workers;

use args::{Cli, Command};
use clap::{CommandFactory, Parser};
use exit::{Code, Failure, Outcome};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let code = dispatch(&cli).unwrap_or_else(|failure| {
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
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "segcut", &mut std::io::stdout());
            Ok(Code::Fine)
        }
        Command::Man => {
            let page = clap_mangen::Man::new(Cli::command());
            page.render(&mut std::io::stdout()).map_err(|e| Failure::output(format!("stdout: {e}")))?;
            Ok(Code::Fine)
        }
        Command::Demo(args) => demo::demo(args, cli.talk),
        Command::Eval(args) => eval::eval(args, cli.talk),
        Command::Compare(_) => Err(Failure::usage("not yet")),
    }
}
