//! `CNI_ARGS`: pairs for one attachment, in any order, from any runtime.

use std::collections::BTreeMap;

use contrail_core::ownership::ContainerName;

/// The pairs of `CNI_ARGS`. Unknown keys are ignored, whether or not the
/// runtime sends `IgnoreUnknown`.
#[derive(Debug, Default)]
pub struct CniArgs(BTreeMap<String, String>);

impl CniArgs {
    /// Reads `K=V;K2=V2`. A value may hold `=`; parts without one are ignored.
    pub fn parse(text: &str) -> Self {
        let pairs = text.split(';').filter_map(|part| part.split_once('='));
        Self(
            pairs
                .filter(|(_, value)| !value.is_empty())
                .map(|(key, value)| (key.trim().to_string(), value.to_string()))
                .collect(),
        )
    }

    /// The value of a key; keys are case-sensitive.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// What people call the container. podman sends the name of a pod without a namespace.
    pub fn container_name<'a>(&'a self, id: &'a str) -> ContainerName<'a> {
        match self.get("K8S_POD_NAME") {
            Some(name) => ContainerName::Named {
                namespace: self.get("K8S_POD_NAMESPACE"),
                name,
            },
            None => ContainerName::Id(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_and_any_litter_is_understood() {
        for text in [
            "K8S_POD_UID=u;IgnoreUnknown=1;K8S_POD_NAME=p;K8S_POD_NAMESPACE=n;X=Y",
            "IgnoreUnknown=true;K8S_POD_NAMESPACE=n;K8S_POD_NAME=p;",
            ";;garbage;=;K8S_POD_NAME=p;K8S_POD_NAMESPACE=n;A=b=c",
        ] {
            assert_eq!(
                CniArgs::parse(text).container_name("id").to_string(),
                "n/p",
                "{text}"
            );
        }
        assert_eq!(
            CniArgs::parse("K8S_POD_NAME=pd1")
                .container_name("id")
                .to_string(),
            "pd1"
        );
        assert_eq!(CniArgs::parse("").container_name("id").to_string(), "id");
        assert_eq!(CniArgs::parse("A=b=c").get("A"), Some("b=c"));
    }
}
