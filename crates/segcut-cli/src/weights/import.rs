//! PyTorch files → safetensors, read in a process of their own.

use crate::exit::{Code, Failure, Outcome};
use crate::print::out;
use segcut_weights::import;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Converts `file`; a child process reads it, so that a file that kills its reader kills no more.
pub fn import_file(file: &Path, output: &Path, in_process: bool) -> Outcome {
    if in_process {
        return convert(file, output);
    }
    let program = std::env::current_exe().map_err(Failure::weights)?;
    let mut child = Command::new(program);
    child.args(["weights", "import", "--in-process", "-o"]).arg(output).arg("--").arg(file).stdin(Stdio::null());
    let status = child.status().map_err(Failure::weights)?;
    match status.code() {
        Some(0) => Ok(Code::Fine),
        // The child has told why.
        Some(code) if code == Code::Output as i32 => Ok(Code::Output),
        Some(_) => Ok(Code::Weights),
        None => Err(Failure::weights(format!("{}: its reader died ({status})", file.display()))),
    }
}

fn convert(file: &Path, output: &Path) -> Outcome {
    let refused = |e: &dyn std::fmt::Display| Failure::weights(format!("{}: {e}", file.display()));
    let opened = File::open(file).map_err(|e| refused(&e))?;
    let bytes = import(BufReader::new(opened)).map_err(|e| refused(&e))?;
    let failed = |e: std::io::Error| Failure::output(format!("{}: {e}", output.display()));
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut part = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    part.write_all(&bytes).map_err(failed)?;
    part.persist(output).map_err(|e| failed(e.error))?;
    out(&output.display().to_string())?;
    Ok(Code::Fine)
}
