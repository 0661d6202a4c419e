//! Many images at the same time, each in a thread pool of its own.

use crate::args::ParallelArgs;
use crate::exit::Failure;
use crate::panics;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// How many images at once, and how many threads for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workers {
    /// Images at the same time.
    pub jobs: usize,
    /// Threads per image.
    pub threads: usize,
}

impl Workers {
    /// Fits the flags to the number of images: one image gets all cores, many get one each.
    pub fn new(args: &ParallelArgs, images: usize) -> Result<Self, Failure> {
        if args.jobs == Some(0) || args.threads == Some(0) {
            return Err(Failure::usage("--jobs and --threads must be at least 1"));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = args.jobs.unwrap_or_else(|| cores.div_ceil(args.threads.unwrap_or(1))).clamp(1, images.max(1));
        let threads = args.threads.unwrap_or_else(|| (cores / jobs).max(1));
        Ok(Self { jobs, threads })
    }
}

/// What became of one item.
#[derive(Debug)]
pub enum Ended<R> {
    /// The work returned.
    Result(R),
    /// The work panicked: a fault of segcut, told as this item's error.
    Panicked(String),
}

/// Does `work` on every item and hands the results to `done` as they come, on the calling thread.
/// By breaking, `done` ends everything early: what is in work then is still handed to it.
pub fn for_each<T: Sync, R: Send>(
    workers: Workers,
    items: &[T],
    work: impl Fn(usize, &T) -> R + Sync,
    mut done: impl FnMut(usize, Ended<R>) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let pools = (0..workers.jobs)
        .map(|_| rayon::ThreadPoolBuilder::new().num_threads(workers.threads).build())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| Failure::output(format!("cannot start threads: {e}")))?;
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for pool in &pools {
            let (sender, next, over, work) = (sender.clone(), &next, &over, &work);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let result = catch_unwind(AssertUnwindSafe(|| pool.install(|| work(index, item))));
                    let ended = result.map_or_else(|panic| Ended::Panicked(panics::message(&*panic)), Ended::Result);
                    if sender.send((index, ended)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (index, ended) in receiver {
            if done(index, ended).is_break() {
                over.store(true, Ordering::Relaxed);
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once_and_a_panic_is_one_items_error() {
        let items: Vec<usize> = (0..20).collect();
        let mut seen = [0; 20];
        let mut panics = 0;
        let workers = Workers { jobs: 3, threads: 1 };
        let work = |_: usize, &item: &usize| {
            assert!(item != 7, "seven");
            item * 2
        };
        for_each(workers, &items, work, |index, ended| {
            match ended {
                Ended::Result(value) => seen[index] += usize::from(value == 2 * index),
                Ended::Panicked(text) => {
                    assert_eq!((index, text.as_str()), (7, "internal error: seven"));
                    panics += 1;
                }
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!((seen.iter().sum::<usize>(), panics), (19, 1));
    }

    #[test]
    fn one_image_gets_all_threads() {
        let flags = ParallelArgs { jobs: None, threads: None, max_memory: None };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(Workers::new(&flags, 1).unwrap(), Workers { jobs: 1, threads: cores });
        assert_eq!(Workers::new(&flags, 100).unwrap(), Workers { jobs: cores, threads: 1 });
        assert!(Workers::new(&ParallelArgs { jobs: Some(0), ..flags }, 1).is_err());
    }
}
