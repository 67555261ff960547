//! Panics as errors, for work that must go on past the failure of a part: a removal while a panic unwinds
//! must not panic itself, since that would abort the process.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, Result};

/// Runs `work`; its panic becomes [`Error::Panicked`] with `operation`. The hook of the process has
/// logged the panic by then.
///
/// What `work` shares with others must be consistent at every moment.
pub(crate) fn caught<T>(operation: impl FnOnce() -> String, work: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Error::Panicked {
        operation: operation(),
        message: message(panic.as_ref()).to_owned(),
    })
}

/// What the panic said.
fn message(panic: &(dyn Any + Send)) -> &str {
    let fixed = panic.downcast_ref::<&str>().copied();
    let made = panic.downcast_ref::<String>().map(String::as_str);
    fixed.or(made).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::report;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        let caught = |work: fn() -> u8| caught(|| "do it".to_owned(), work);
        assert_eq!(caught(|| 5).unwrap(), 5);
        for (work, text) in [
            ((|| panic!("fixed")) as fn() -> u8, "fixed"),
            (|| panic!("{}", 1 + 1), "2"),
            (|| std::panic::panic_any(7), "no message"),
        ] {
            let error = caught(work).unwrap_err();
            let told = format!("a defect of this program kept it from this: do it: {text}");
            assert_eq!(report(&error), told);
            assert!(!error.is_transient() && !error.had_no_effect());
        }
    }
}
