//! Independent work in parallel, on threads that end with the call. If the system gives no more
//! threads (a limit on processes, a cgroup's `pids.max`), the caller does the work itself: slower,
//! with the same result.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder, ScopedJoinHandle};

/// Applies `f` to all items in parallel and returns the results in the order of the items. The calling
/// thread works too. A panic of one is resumed in the caller after all threads have ended, so that
/// nothing keeps running unseen.
///
/// ```
/// let squares = contrail_core::parallel::map(vec![1, 2, 3], |n| n * n);
/// assert_eq!(squares, [1, 4, 9]);
/// ```
pub fn map<T: Send, R: Send>(items: Vec<T>, f: impl Fn(T) -> R + Sync) -> Vec<R> {
    map_on(thread, items, f)
}

/// Runs `aside` on a thread, in parallel with `here` on the calling thread, and returns both results.
/// A panic of one is resumed in the caller after both have ended.
///
/// ```
/// let (sum, product) = contrail_core::parallel::both(|| 2 + 5, || 2 * 5);
/// assert_eq!((sum, product), (7, 10));
/// ```
pub fn both<A: Send, B>(aside: impl Fn() -> A + Sync, here: impl FnOnce() -> B) -> (A, B) {
    both_on(thread, aside, here)
}

fn thread() -> Builder {
    Builder::new().name("parallel".into())
}

fn map_on<T: Send, R: Send>(
    thread: impl Fn() -> Builder,
    items: Vec<T>,
    f: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let helpers = items.len().saturating_sub(1);
    let waiting = Mutex::new(items.into_iter().enumerate().collect::<VecDeque<_>>());
    // A panic of `f` happens outside of the lock.
    let next = || {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.pop_front()
    };
    let work = || {
        let mut done = Vec::new();
        while let Some((index, item)) = next() {
            done.push((index, f(item)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let helpers: Vec<_> = (0..helpers)
            .map_while(|_| thread().spawn_scoped(scope, work).ok())
            .collect();
        let mut done = work();
        done.extend(helpers.into_iter().flat_map(join));
        done
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

fn both_on<A: Send, B>(
    thread: impl Fn() -> Builder,
    aside: impl Fn() -> A + Sync,
    here: impl FnOnce() -> B,
) -> (A, B) {
    thread::scope(|scope| match thread().spawn_scoped(scope, &aside) {
        Ok(beside) => {
            let here = here();
            (join(beside), here)
        }
        Err(error) => {
            log::debug!("no thread: {error}");
            (aside(), here())
        }
    })
}

/// The result of a thread; its panic is resumed in the caller.
fn join<R>(thread: ScopedJoinHandle<'_, R>) -> R {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::ThreadId;

    use super::*;

    /// A thread that no system has the memory for: it fails as if the limit of threads were reached.
    fn impossible() -> Builder {
        Builder::new().stack_size(1 << 60)
    }

    fn here() -> ThreadId {
        thread::current().id()
    }

    #[test]
    fn items_run_at_once_and_results_keep_their_order() {
        let all_here = Barrier::new(3);
        let doubled = map(vec![1, 2, 3], |n| {
            all_here.wait();
            n * 2
        });
        assert_eq!(doubled, [2, 4, 6]);
        assert!(map(Vec::<u8>::new(), |n| n).is_empty());
    }

    #[test]
    fn both_run_at_once() {
        let all_here = Barrier::new(2);
        let (left, right) = both(|| all_here.wait(), || all_here.wait());
        assert_ne!(left.is_leader(), right.is_leader());
    }

    #[test]
    fn without_threads_the_caller_does_everything() {
        let ids = map_on(impossible, vec![1, 2, 3], |n| (n, here()));
        assert_eq!(ids, [(1, here()), (2, here()), (3, here())]);
        let count = AtomicUsize::new(0);
        let aside = || count.fetch_add(1, Ordering::SeqCst);
        let (_, id) = both_on(impossible, aside, here);
        assert_eq!((id, count.into_inner()), (here(), 1));
    }

    #[test]
    fn a_panic_goes_on_after_the_others_have_ended() {
        let ended = AtomicUsize::new(0);
        let one_panics = || {
            map(vec![1, 2, 3, 4], |n| {
                assert_ne!(n, 2, "two");
                ended.fetch_add(1, Ordering::SeqCst);
            })
        };
        assert!(catch_unwind(AssertUnwindSafe(one_panics)).is_err());
        assert_eq!(ended.into_inner(), 3);
    }
}
