//! SIGINT and SIGTERM: the first asks the work to stop, the second ends the program at once.

use crate::exit::Code;
use segcut_core::Stop;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
