//! Runs independent steps at once, each on a scoped thread: what keeps the serial depth at three.

use std::thread::{self, ScopedJoinHandle};

/// Applies `f` to every item at once and returns the results in the order of the items. A panic of
/// one is raised again after all have ended, so that nothing keeps running unseen.
pub(crate) fn map<T: Send, R: Send>(items: Vec<T>, f: impl Fn(T) -> R + Sync) -> Vec<R> {
    if items.len() < 2 {
        return items.into_iter().map(f).collect();
    }
    thread::scope(|scope| {
        let f = &f;
        let threads: Vec<_> = items
            .into_iter()
            .map(|item| scope.spawn(move || f(item)))
            .collect();
        threads.into_iter().map(join).collect()
    })
}

/// The result of a scoped thread; its panic goes on in the caller.
pub(crate) fn join<R>(thread: ScopedJoinHandle<'_, R>) -> R {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn items_run_at_once_and_results_keep_their_order() {
        let all_here = Barrier::new(3);
        let doubled = map(vec![1, 2, 3], |n| {
            all_here.wait();
            n * 2
        });
        assert_eq!(doubled, [2, 4, 6]);
    }
}
