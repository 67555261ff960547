//! State of one host that outlives a call: entries, sets of keys, and locks on VM interfaces.
//!
//! An [`Entry`] is a private file `<directory>/<key>.json`:
//!
//! ```json
//! {"kind": "lease", "version": 1, "written_by": "contrail-core 0.1.0", "entry": {"seconds": 60}}
//! ```
//!
//! - It is written whole or not at all, with mode 0600; what a killed writer leaves is removed by
//!   [`files::sweep`](crate::files::sweep).
//! - It is read only if it is a regular file of at most 1 MiB that belongs to this user or to root, and if
//!   its kind is the expected one. Anything else is moved to `<directory>/damaged/`, with one warning; at most
//!   16 files are kept there.
//! - Entries of earlier versions are upgraded as they are read: [`Entry::upgrade`]. An entry of a later
//!   version is refused with the release that wrote it ([`Newer`]), and stays.
//!
//! An [`Index`] is a set of keys without values: empty files.

mod aside;
mod entries;
mod entry;
mod index;
pub mod lock;
mod names;

pub use entries::{Durability, Entries, Found};
pub use entry::{Entry, Newer};
pub use index::Index;
pub use names::{Key, Pair};
