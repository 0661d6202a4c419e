//! SIGINT and SIGTERM: the first asks the work to stop and gives it a moment, the second ends the program
//! at once.

use crate::exit::Code;
use segcut_core::Stop;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What the work has to end after a signal, where it is in the middle of a long step.
const GRACE: Duration = Duration::from_millis(1500);

/// Which signal has come.
#[derive(Debug, Clone)]
pub struct Signals {
    interrupted: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
}

impl Signals {
    /// Installs the handlers.
    pub fn install() -> std::io::Result<Self> {
        let signals = Self { interrupted: Arc::default(), terminated: Arc::default() };
        for (signal, code, flag) in
            [(SIGINT, Code::Interrupted, &signals.interrupted), (SIGTERM, Code::Terminated, &signals.terminated)]
        {
            // In this order: the flag is still down when the first signal meets the shutdown.
            signal_hook::flag::register_conditional_shutdown(signal, code as i32, Arc::clone(flag))?;
            signal_hook::flag::register(signal, Arc::clone(flag))?;
        }
        let watched = signals.clone();
        let mut coming = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            coming.forever().next();
            std::thread::sleep(GRACE);
            // Files are whole or absent and journal lines are written at once: nothing is lost.
            std::process::exit(watched.code().unwrap_or(Code::Interrupted) as i32);
        })?;
        Ok(signals)
    }

    /// The exit code of the signal that has come, if one has.
    pub fn code(&self) -> Option<Code> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Some(Code::Interrupted);
        }
        self.terminated.load(Ordering::Relaxed).then_some(Code::Terminated)
    }

    /// What the library is told.
    pub fn stop(&self) -> Stop {
        if self.code().is_some() { Stop::Cancelled } else { Stop::No }
    }
}
