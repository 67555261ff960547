//! Names that people see. Docker does not give plugins the name of a container.

use contrail_core::ownership::ContainerName;

use crate::proto::EndpointId;

/// The name of an endpoint's container.
pub(super) fn container_name(id: &EndpointId) -> String {
    let name = ContainerName::Endpoint {
        engine: "docker",
        id: id.as_str(),
    };
    name.to_string()
}
