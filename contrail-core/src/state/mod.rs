//! State of one host that outlives a call: entries, sets of keys, and locks on VM interfaces.
//!
//! An [`Entry`] is a private file `<directory>/<key>.json`, in the form of [`stored`](crate::stored):
//!
//! ```json
//! {"kind": "lease", "version": 1, "written_by": "contrail-core 0.2.0", "entry": {"seconds": 60}}
//! ```
//!
//! - It is written whole or not at all, with mode 0600; what a killed writer leaves is removed by
//!   [`files::sweep`](crate::files::sweep).
//! - It is read only if it is a regular file of at most 1 MiB that belongs to this user or to root, and if
//!   its kind is the expected one. Anything else is moved to `<directory>/damaged/`, with one warning; at most
//!   16 files are kept there.
//! - Entries of earlier versions are upgraded as they are read: [`Entry::upgrade`]. An entry of a later
//!   version stays. Whoever reads it skips it, with a warning that names the release that wrote it
//!   ([`Newer`]); whoever would overwrite it is refused. So a removal never fails for it: it leaves the entry
//!   to that release.
//!
//! The directory must be one that only this user or root can write to, and no symbolic link: [`prepare`].
//!
//! An [`Index`] is a set of keys without values: empty files.
//!
//! # What is stored
//!
//! In the state directory of a program (`state_dir`), which survives a reboot:
//!
//! | file | kind | version | written by | read by | removed |
//! |---|---|---|---|---|---|
//! | `nodes.json` | names of the host | 1 | attach | detach, clean-up, collection | never; 0.1.0 wrote `nodes`, a line each |
//! | `uses/<interface>.json` | uses of a VM interface | 1; 0 was one list | attach, before anything is made | detach, clean-up | when the interface is gone and its networks are settled |
//! | `members/<network>_<interface>` | index | 1 | attach | removal of a network | when the interface leaves the network |
//! | `leaving/<tuple>_<port>` | index | 1 | removal of a service member | the same, for another port | when the port tuple is gone |
//! | `pending/<interface>.json` | deferred removal | 1; 0 may lack a step | detach, rollback | every later detach, clean-up | when all its steps have succeeded, or the interface is created again |
//! | `orphans/<interface>.json` | orphan | 1; 0 is the same | clean-up | the next clean-up | when the interface is removed or has a link again |
//!
//! In the run directory (`run_dir`), which a reboot empties:
//!
//! | file | kind | version | written by | read by | removed |
//! |---|---|---|---|---|---|
//! | `attachments.lock` | locks: [`lock`] | 1 | every operation on a VM interface | the same | never |
//! | `left/<interface>.lock` | index; the time of writing counts | 1 | removal of a service member | attach | two seconds later |
//! | `tokens/<account>` | token: [`crate::keystone`] | 1; 0 is the same | every program | the same | when it is replaced |
//!
//! Front ends add directories of their own to these.

mod aside;
mod directory;
mod entries;
mod index;
pub mod lock;
mod names;
mod plain;

pub use crate::stored::{Entry, Newer};
pub use directory::prepare;
pub use entries::{Durability, Entries, Lookup};
pub use index::Index;
pub use names::{Key, Pair};
pub use plain::read_text;
