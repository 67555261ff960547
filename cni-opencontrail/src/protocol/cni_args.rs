//! `CNI_ARGS`: pairs for one attachment, in any order, from any runtime.

use std::collections::BTreeMap;

/// The pairs of `CNI_ARGS`. Keys that mean nothing here are carried along unseen: whether the
/// runtime sent `IgnoreUnknown` makes no difference.
#[derive(Debug, Default)]
pub struct CniArgs(BTreeMap<String, String>);

impl CniArgs {
    /// Reads `K=V;K2=V2`. A value may hold `=`; parts without one are passed over.
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

    /// What people call the container: `namespace/pod` in Kubernetes, the name alone where a
    /// runtime sends no namespace (podman does), the container's id where there is no name.
    pub fn display_name(&self, container: &str) -> String {
        match (self.get("K8S_POD_NAMESPACE"), self.get("K8S_POD_NAME")) {
            (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
            (None, Some(name)) => name.to_string(),
            _ => container.to_string(),
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
            assert_eq!(CniArgs::parse(text).display_name("id"), "n/p", "{text}");
        }
        assert_eq!(CniArgs::parse("K8S_POD_NAME=pd1").display_name("id"), "pd1");
        assert_eq!(CniArgs::parse("").display_name("id"), "id");
        assert_eq!(CniArgs::parse("A=b=c").get("A"), Some("b=c"));
    }
}
