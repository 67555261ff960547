//! The requests of the configuration API as values: nothing here sends anything.
//!
//! ```
//! use contrail_core::api::request::{self, ListQuery, Repeatability};
//!
//! let query = ListQuery::default().fields(&["display_name"]);
//! let request = request::list("virtual-network", &query);
//! assert_eq!(request.target(), "/virtual-networks?fields=display_name");
//! assert_eq!(request.repeatability, Repeatability::Safe);
//! ```

mod list;
mod message;
mod object;
mod reference;

pub use list::{ListQuery, list};
pub use message::{ApiRequest, Repeatability};
pub(crate) use object::creation;
pub use object::{create, delete, get, get_with, id_of, lookup, update};
pub use reference::{Target, annotate, ref_update};
