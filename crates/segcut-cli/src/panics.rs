//! Panics are faults of segcut (or of a decoder); they are told in one line, where they are caught.

use std::any::Any;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};

/// Text and place of the last panic.
static LAST: Mutex<Option<(String, String)>> = Mutex::new(None);

/// Keeps panics off stderr: whoever catches them tells them. With RUST_BACKTRACE set they are printed as
/// usual.
pub fn install_hook() {
    if std::env::var_os("RUST_BACKTRACE").is_some() {
        return;
    }
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some((text_of(info.payload()), place));
    }));
}

/// A caught panic in words, with its place in the source where that is known.
pub fn message(panic: &(dyn Any + Send)) -> String {
    let text = text_of(panic);
    match &*LAST.lock().unwrap_or_else(PoisonError::into_inner) {
        Some((last, place)) if *last == text => format!("internal error: {text} ({place})"),
        _ => format!("internal error: {text}"),
    }
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".into())
}
