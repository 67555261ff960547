//! The answers of the vRouter agent.

use contrail_core::agent::Agent;
use uuid::Uuid;

use crate::fuzz;
use crate::transport::answering;

fn corpus() -> Vec<Vec<u8>> {
    let port = r#"{"id":"00000000-0000-0000-0000-000000000007","instance-id":"00000000-0000-0000-0000-000000000008","vn-id":"00000000-0000-0000-0000-000000000009","vm-project-id":"00000000-0000-0000-0000-00000000000a","mac-address":"02:00:00:00:00:07","system-name":"tap7","rx-vlan-id":65535,"tx-vlan-id":65535,"vhostuser-mode":0,"ip-address":"10.1.1.3","plen":24,"dns-server":"10.1.1.2","gateway":"10.1.1.1","v6-ip-address":"fd00::3","v6-dns-server":"fd00::2","v6-gateway":"fd00::1","author":"/usr/bin/contrail-vrouter-agent","time":"461:47:47.521"}"#;
    let refusal = r#"{ "error" : "Configuration for Interface not found in Config-DB"}"#;
    let texts = [port, refusal, "{}", "", "Unknown Request /port"];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

#[test]
fn every_answer_of_the_agent_is_understood_or_refused() {
    let id = Uuid::from_u128(7);
    fuzz(&corpus(), |text| {
        for status in [200, 404, 500] {
            let agent = Agent::new(
                answering(status, text),
                "127.0.0.1:9091".into(),
                "/ports".into(),
            );
            if let Ok(Some(_)) = agent.get(id) {
                assert_eq!(status, 200);
            }
            let _ = agent.delete(id);
        }
    });
}
