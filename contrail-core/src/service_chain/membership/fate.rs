//! What becomes of a service instance, and of its template, when members leave it: pure. The only place
//! that decides it, for a member that is detached and for a chain that is deleted.

use crate::api::Meta;
use crate::api::Resource;
use crate::api::objects::NetworkPolicy;
use crate::ownership::chains;
use crate::values::FqName;

/// What becomes of a service instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::service_chain) enum Fate {
    /// It goes, and its template with it, see [`template_goes`].
    Goes,
    /// It stays.
    Stays(Reason),
}

/// Why a service instance stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::service_chain) enum Reason {
    /// These network policies send packets through it: its next member completes their chains again.
    Users(Vec<FqName>),
    /// Neither a chain nor an attachment made it.
    Foreign,
    /// It has port tuples: deleting it would leave them without a parent.
    Tuples,
}

/// What becomes of a service instance of which this many port tuples remain, and that these network policies
/// send packets through. It makes no difference whether a chain or an attachment made it: the last one to leave
/// may be of the other kind. In an instance that another client made, only the policies of chains count, as
/// what a chain made there is all that could go.
pub(in crate::service_chain) fn fate<'a>(
    instance: &Meta,
    tuples: usize,
    users: impl IntoIterator<Item = &'a NetworkPolicy>,
) -> Fate {
    let is_made_here = chains::is_by_chain_or_attachment(instance);
    let users = users
        .into_iter()
        .filter(|policy| is_made_here || chains::is_by_chain(&policy.meta));
    let users: Vec<FqName> = users.map(|policy| policy.fq_name().clone()).collect();
    match (users.is_empty(), is_made_here, tuples) {
        (false, _, _) => Fate::Stays(Reason::Users(users)),
        (true, false, _) => Fate::Stays(Reason::Foreign),
        (true, true, 1..) => Fate::Stays(Reason::Tuples),
        (true, true, 0) => Fate::Goes,
    }
}

/// Whether a template goes with its last service instance: a chain or an attachment made it.
pub(in crate::service_chain) fn template_goes(template: &Meta) -> bool {
    chains::is_by_chain_or_attachment(template)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::KeyValuePairs;
    use crate::api::objects::PolicyEntries;

    fn named(name: &str, mark: KeyValuePairs) -> Meta {
        let mut meta = Meta::new(FqName::new(["d", "p", name]));
        meta.annotations = mark;
        meta
    }

    fn policy(name: &str, mark: KeyValuePairs) -> NetworkPolicy {
        let mut policy =
            NetworkPolicy::new(FqName::new(["d", "p", name]), PolicyEntries::default());
        policy.meta.annotations = mark;
        policy
    }

    #[test]
    fn an_instance_goes_with_its_last_member_whoever_made_it_unless_it_is_in_use() {
        let by_chain = || chains::of_chain("c");
        let by_attachment = || chains::of_attachment("cni");
        let by_hand = KeyValuePairs::default;
        let chains = || vec![policy("of-chain", by_chain())];
        let hand = || vec![policy("by-hand", by_hand())];
        let users = |name: &str| Fate::Stays(Reason::Users(vec![FqName::new(["d", "p", name])]));
        let tuples = || Fate::Stays(Reason::Tuples);
        let foreign = || Fate::Stays(Reason::Foreign);
        for (made, left, policies, expected) in [
            (by_chain(), 0, vec![], Fate::Goes),
            (by_attachment(), 0, vec![], Fate::Goes),
            (by_hand(), 0, vec![], foreign()),
            (by_chain(), 1, vec![], tuples()),
            (by_attachment(), 2, vec![], tuples()),
            (by_hand(), 1, vec![], foreign()),
            (by_chain(), 0, hand(), users("by-hand")),
            (by_attachment(), 0, hand(), users("by-hand")),
            (by_attachment(), 1, chains(), users("of-chain")),
            (by_hand(), 0, hand(), foreign()),
            (by_hand(), 0, chains(), users("of-chain")),
        ] {
            let meta = named("fw", made);
            let case = format!("{:?}, {left} tuples, {}", meta.annotations, policies.len());
            assert_eq!(fate(&meta, left, &policies), expected, "{case}");
            assert_eq!(
                template_goes(&meta),
                chains::is_by_chain_or_attachment(&meta),
                "{case}"
            );
        }
    }
}
