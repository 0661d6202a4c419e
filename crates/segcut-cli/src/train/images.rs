//! A folder of images → the graphs that a learner asks for.

use super::args::TrainArgs;
use super::augment::Augment;
use crate::budget::Budget;
use crate::exit::Failure;
use crate::image_job::{Failed, Limits, decode_options};
use crate::progress::Progress;
use crate::signals::Signals;
use crate::workers::{Ended, Workers, for_each};
use segcut::Pipeline;
use segcut_core::{GraphSource, Image, RegionGraph, StageError};
use segcut_io::dataset::{Dataset, Item};
use std::ops::ControlFlow;

/// The region graphs of all images and of their changed copies.
#[derive(Debug)]
pub struct ImageGraphs {
    graphs: Vec<RegionGraph>,
    /// Images that failed.
    pub failed: usize,
}

impl ImageGraphs {
    /// Prepares every image with its copies; one that fails is told and left out.
    pub fn prepare(
        args: &TrainArgs,
        data: &Dataset,
        pipeline: &Pipeline,
        signals: &Signals,
        quiet: bool,
    ) -> Result<Self, Failure> {
        let workers = Workers::new(&args.parallel, data.items.len())?;
        let budget = Budget::from_flag(args.parallel.max_memory);
        let decode = decode_options(&args.decode, pipeline);
        let limits = Limits { decode, budget: &budget, signals, timeout: None };
        let progress = Progress::new(data.items.len(), 0, quiet);
        let mut graphs: Vec<Vec<RegionGraph>> = data.items.iter().map(|_| Vec::new()).collect();
        let mut failed = 0;
        let work = |_: usize, item: &Item| seen(item, pipeline, &limits, &args.augment);
        for_each(workers, &data.items, work, |index, ended| {
            let id = &data.items[index].id;
            let result = match ended {
                Ended::Result(result) => result,
                Ended::Panicked(text) => Err(Failed::error("internal/panic", &text)),
            };
            match result {
                Ok(seen) => {
                    graphs[index] = seen;
                    progress.image(id, None);
                }
                Err(error) if error.is_cancelled() => return ControlFlow::Break(()),
                Err(error) => {
                    failed += 1;
                    progress.image(id, Some(&error.message));
                }
            }
            ControlFlow::Continue(())
        })?;
        progress.finish();
        Ok(Self { graphs: graphs.into_iter().flatten().collect(), failed })
    }

    /// Superpixels of all images.
    pub fn nodes(&self) -> usize {
        self.graphs.iter().map(RegionGraph::n).sum()
    }
}

/// The graphs of an image and of its changed copies.
fn seen(
    item: &Item,
    pipeline: &Pipeline,
    limits: &Limits<'_>,
    changes: &[Augment],
) -> Result<Vec<RegionGraph>, Failed> {
    let opened = limits.open(&item.image)?;
    let context = limits.context(pipeline);
    let graph = |image: &Image| {
        let prepared = pipeline.prepare(image, &context).map_err(|e| Failed::stage(&item.id, &e))?;
        Ok(prepared.into_graph())
    };
    let mut graphs = vec![graph(&opened.image)?];
    for change in changes {
        let copies = change.copies(&opened.image).map_err(|e| Failed::error("stage/image", &e))?;
        graphs.extend(copies.iter().map(graph).collect::<Result<Vec<_>, Failed>>()?);
    }
    Ok(graphs)
}

impl GraphSource for ImageGraphs {
    fn len(&self) -> usize {
        self.graphs.len()
    }

    fn graph(&mut self, index: usize) -> Result<RegionGraph, StageError> {
        Ok(self.graphs[index].clone())
    }
}
