//! The answers of the vRouter agent.

use contrail_core::agent::Agent;
use uuid::Uuid;

use super::check_error;
use super::transport::answering;

/// An answer of the agent, with each status that matters.
pub fn agent(text: &[u8]) {
    let id = Uuid::from_u128(7);
    for status in [200, 404, 500] {
        let (address, ports) = ("127.0.0.1:9091".into(), "/nonexistent".into());
        let agent = Agent::new(answering(status, text), address, ports);
        match agent.get(id) {
            Ok(Some(_)) => assert_eq!(status, 200),
            Ok(None) => {}
            Err(error) => check_error(&error),
        }
        if let Err(error) = agent.delete(id) {
            check_error(&error);
        }
    }
}
