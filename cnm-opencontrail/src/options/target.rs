//! The virtual network that options name: `name`, `vn` and `project`.

use std::fmt;

use contrail_core::FqName;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::table::{DockerOption, Given};
use super::values::{fq_name, name_in_project};
use crate::error::Result;

/// A virtual network as options name it. Its JSON is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    /// By its name: created if it does not exist.
    Named(FqName),
    /// By its name: must exist, and is never removed.
    Existing(FqName),
    /// By its id: must exist, and is never removed.
    Id(Uuid),
}

/// The three options.
#[derive(Debug, Default)]
pub(crate) struct TargetNames {
    name: Option<Given>,
    vn: Option<Given>,
    project: Option<Given>,
}

/// What the options of a command are read into, if these three are among them.
pub(crate) trait NamesTarget {
    /// The three.
    fn names(&mut self) -> &mut TargetNames;
}

/// The rows of the three options, for the table of a command. `name` says what the option `name` does
/// there; the others mean the same everywhere.
pub(crate) const fn target_options<T: NamesTarget>(name: &'static str) -> [DockerOption<T>; 3] {
    [
        DockerOption {
            key: "name",
            example: "net1",
            meaning: name,
            read: |draft, given| {
                draft.names().name = Some(given);
                Ok(())
            },
        },
        DockerOption {
            key: "vn",
            example: "net1",
            meaning: "a virtual network that must exist, by name, domain:project:name or UUID; never removed",
            read: |draft, given| {
                draft.names().vn = Some(given);
                Ok(())
            },
        },
        DockerOption {
            key: "project",
            example: "other",
            meaning: "another project than the tenant's",
            read: |draft, given| {
                draft.names().project = Some(given);
                Ok(())
            },
        },
    ]
}

impl Target {
    /// Its name, if it is named.
    pub(crate) fn name(&self) -> Option<&FqName> {
        match self {
            Self::Named(name) | Self::Existing(name) => Some(name),
            Self::Id(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) | Self::Existing(name) => name.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl TargetNames {
    /// The project of networks that are named alone: `default` unless the options name another.
    ///
    /// # Errors
    /// If it is no name of a project.
    pub(crate) fn project(&self, default: &FqName) -> Result<FqName> {
        match &self.project {
            None => Ok(default.clone()),
            Some(given) if given.text().contains(':') => {
                fq_name(given, given.text(), 2, "a name or domain:name")
            }
            Some(given) => Ok(default.sibling(given.text())),
        }
    }

    /// The network that the options name; `None` if they name none.
    ///
    /// # Errors
    /// Names that cannot be used, `name` together with `vn`, and a whole name in another project than the
    /// one that is given with it.
    pub(crate) fn target(&self, default_project: &FqName) -> Result<Option<Target>> {
        let project = self.project(default_project)?;
        let of = |given: &Given| {
            let name = name_in_project(given, given.text(), &project)?;
            match self.project.is_none() || name.is_child_of(&project) {
                true => Ok(name),
                false => {
                    let reason = format!("it is not in project {project}, which is given too");
                    Err(given.refused(reason))
                }
            }
        };
        Ok(match (&self.name, &self.vn) {
            (None, None) => None,
            (Some(name), None) => Some(Target::Named(of(name)?)),
            (None, Some(vn)) => Some(match vn.text().parse() {
                Ok(id) => Target::Id(id),
                Err(_) => Target::Existing(of(vn)?),
            }),
            (Some(_), Some(vn)) => {
                return Err(vn.refused("name is given too: one of them is enough"));
            }
        })
    }
}
