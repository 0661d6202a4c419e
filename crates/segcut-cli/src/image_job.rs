//! One image file → superpixels and graph → regions, within limits.

use crate::args::{Alpha, Damaged, DecodeArgs};
use crate::budget::{Budget, Share, bytes_of};
use crate::run::journal::RowStatus;
use crate::signals::Signals;
use segcut::{Pipeline, PipelineError};
use segcut_core::{Clustering, Context, Image, StageError, Status, Stop};
use segcut_io::atomic::WriteError;
use segcut_io::decode::{self, Admit, DecodeError, DecodeOptions, Decoded};
use std::cell::Cell;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why an image has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Error or timeout.
    pub status: RowStatus,
    /// A short code, for example `decode/damaged`.
    pub code: String,
    /// The file and the reason.
    pub message: String,
}

/// What ends the work on an image.
pub enum Problem {
    /// An error of this image.
    Image(Failed),
    /// The folder takes no more files: the end of the whole command.
    Output(WriteError),
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        Self::Image(failed)
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        Self::Output(error)
    }
}

/// What a user should know about a clustering, with its status where that is not converged.
pub fn notes_of(clustering: &Clustering) -> Vec<String> {
    let status = (clustering.status != Status::Converged).then(|| format!("{:?}", clustering.status));
    clustering.notes.iter().map(ToString::to_string).chain(status).collect()
}

/// An image with the memory that its pipeline may take.
#[derive(Debug)]
pub struct Opened<'b> {
    /// The image.
    pub image: Image,
    /// What the decoder remarked.
    pub warnings: Vec<String>,
    _share: Option<Share<'b>>,
}

/// What every image of a command shares.
#[derive(Debug)]
pub struct Limits<'a> {
    /// How files are read.
    pub decode: DecodeOptions,
    /// Memory.
    pub budget: &'a Budget,
    /// SIGINT and SIGTERM.
    pub signals: &'a Signals,
    /// `--timeout-per-image`.
    pub timeout: Option<Duration>,
}

impl Limits<'_> {
    /// Reads an image, once there is memory for it; `-` is stdin.
    pub fn open(&self, path: &Path) -> Result<Opened<'_>, Failed> {
        let share = Cell::new(None);
        let admit = |need| {
            // A damaged file is read twice: what the first pass took is given back.
            drop(share.take());
            let (needs, cap) = (bytes_of(need), self.budget.total());
            share.set(Some(self.budget.take(needs).ok_or(DecodeError::TooMuchMemory { needs, cap })?));
            Ok(())
        };
        let Decoded { image, warnings, .. } = if path == Path::new("-") {
            read_stdin(&self.decode, &admit)?
        } else {
            decode::open_admitted(path, &self.decode, &admit).map_err(|e| Failed::error(e.source.code(), &e))?
        };
        let warnings = warnings.iter().map(ToString::to_string).collect();
        Ok(Opened { image, warnings, _share: share.into_inner() })
    }

    /// The context of one image; its clock starts now.
    pub fn context(&self, pipeline: &Pipeline) -> Context {
        let (signals, timeout) = (self.signals.clone(), self.timeout);
        #[allow(clippy::disallowed_methods)]
        let start = Instant::now();
        let stop = move || match timeout {
            Some(limit) if start.elapsed() > limit => Stop::TimedOut,
            _ => signals.stop(),
        };
        Context { stop: Some(Arc::new(stop)), ..Context::seeded(pipeline.seed()) }
    }
}

impl Failed {
    /// An error with its code.
    pub fn error(code: &str, message: &impl ToString) -> Self {
        Self { status: RowStatus::Error, code: code.to_string(), message: message.to_string() }
    }

    /// A stage's failure on the image `name`.
    pub fn stage(name: &str, error: &PipelineError) -> Self {
        let code = format!("stage/{}", error.stage);
        let message = format!("{name}: {error}");
        match error.source {
            StageError::Stopped(Stop::TimedOut) => Self { status: RowStatus::Timeout, code: "timeout".into(), message },
            StageError::Stopped(_) => Self { status: RowStatus::Error, code: "cancelled".into(), message },
            _ => Self { status: RowStatus::Error, code, message },
        }
    }

    /// Whether the user stopped it: no fault of the image.
    pub fn is_cancelled(&self) -> bool {
        self.code == "cancelled"
    }
}

fn read_stdin(options: &DecodeOptions, admit: Admit<'_>) -> Result<Decoded, Failed> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(options.max_file_bytes + 1).read_to_end(&mut bytes);
    read.map_err(|e| Failed::error("io/stdin", &format!("stdin: {e}")))?;
    if bytes.len() as u64 > options.max_file_bytes {
        let limit = options.max_file_bytes;
        return Err(Failed::error("limits/file", &format!("stdin: more than {limit} bytes")));
    }
    let decoded = decode::decode_admitted(&bytes, options, admit);
    let mut decoded = decoded.map_err(|e| Failed::error(e.code(), &format!("stdin: {e}")))?;
    decoded.image = decoded.image.with_id("stdin");
    Ok(decoded)
}

/// The flags and the recipe's bands → how files are read.
pub fn decode_options(args: &DecodeArgs, pipeline: &Pipeline) -> DecodeOptions {
    DecodeOptions {
        damaged: match args.damaged {
            Damaged::Fail => decode::Damaged::Fail,
            Damaged::Keep => decode::Damaged::Keep,
        },
        alpha: match args.alpha {
            Alpha::Mask => decode::Alpha::Mask,
            Alpha::Ignore => decode::Alpha::Ignore,
            Alpha::White => decode::Alpha::White,
        },
        max_pixels: args.max_pixels,
        frame: args.frame,
        bands: args.bands.clone().or_else(|| pipeline.image_params().bands.clone()),
        ..DecodeOptions::default()
    }
}
