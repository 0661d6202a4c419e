//! One run per folder: a second one is told who holds it.

use crate::exit::Failure;
use segcut_io::atomic;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

/// Held as long as the run works in its folder.
#[derive(Debug)]
pub struct Lock {
    _folder: File,
    _shard: Option<File>,
}

impl Lock {
    /// Takes the folder for one run, or for one shard of it beside other shards. Whoever is alone in it
    /// removes what killed runs left unfinished.
    pub fn take(folder: &Path, shard: Option<(usize, usize)>) -> Result<Self, Failure> {
        let whole = open(&folder.join(".segcut-lock"))?;
        let Some((i, n)) = shard else {
            let held = exclusive(whole, folder)?;
            clean(folder)?;
            return Ok(Self { _folder: held, _shard: None });
        };
        if whole.try_lock().is_ok() {
            clean(folder)?;
        }
        if let Err(error) = shared(&whole) {
            return Err(taken(folder, error, whole));
        }
        let part = exclusive(open(&folder.join(format!(".segcut-lock-{i}-{n}")))?, folder)?;
        Ok(Self { _folder: whole, _shard: Some(part) })
    }
}

/// Waits until no other shard writes the results of the folder; they are this one's while the file is open.
pub fn results(folder: &Path) -> Result<File, Failure> {
    let file = open(&folder.join(".segcut-lock-results"))?;
    file.lock().map_err(|e| Failure::output(format!("{}: {e}", folder.display())))?;
    Ok(file)
}

fn clean(folder: &Path) -> Result<(), Failure> {
    let removed = atomic::remove_unfinished(folder);
    removed.map(|_| ()).map_err(|e| Failure::output(format!("{}: {e}", folder.display())))
}

/// Another shard may be alone for the moment in which it cleans: it is waited for.
fn shared(whole: &File) -> Result<(), TryLockError> {
    for _ in 0..100 {
        match whole.try_lock_shared() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            other => return other,
        }
    }
    whole.try_lock_shared()
}

fn open(path: &Path) -> Result<File, Failure> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(|e| Failure::output(format!("{}: {e}", path.display())))
}

fn exclusive(mut file: File, folder: &Path) -> Result<File, Failure> {
    match file.try_lock() {
        Ok(()) => {}
        Err(error) => return Err(taken(folder, error, file)),
    }
    let note = format!("process {}\n", std::process::id());
    let written = file.set_len(0).and_then(|()| file.write_all(note.as_bytes()));
    written.map_err(|e| Failure::output(format!("{}: {e}", folder.display())))?;
    Ok(file)
}

fn taken(folder: &Path, error: TryLockError, mut file: File) -> Failure {
    let TryLockError::WouldBlock = error else {
        return Failure::output(format!("{}: cannot be locked: {error}", folder.display()));
    };
    let mut holder = String::new();
    // The holder's name is a courtesy: without it the message is still right.
    let _ = file.read_to_string(&mut holder);
    let holder = holder.trim();
    let holder = if holder.is_empty() { "another process" } else { holder };
    Failure::output(format!("{} is locked by {holder}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Code;

    #[test]
    fn a_second_run_is_refused_and_shards_may_share() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path(), None).unwrap();
        let refused = Lock::take(dir.path(), None).unwrap_err();
        assert_eq!(refused.code, Code::Output);
        assert!(refused.message.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        let one = Lock::take(dir.path(), Some((1, 2))).unwrap();
        let _two = Lock::take(dir.path(), Some((2, 2))).unwrap();
        assert!(Lock::take(dir.path(), Some((1, 2))).is_err());
        assert!(Lock::take(dir.path(), None).is_err());
        drop(one);
    }
}
