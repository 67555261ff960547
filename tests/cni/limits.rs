//! Limits of the system: open files, and the size of files.

use contrail_lab::sandbox::{self, TestNetns};
use opencontrail_tests::plugin::Call;
use opencontrail_tests::world::{everything, lab, network};

fn call(command: &str, netns: &TestNetns) -> Call {
    let path = netns.path().display().to_string();
    Call::new(command, "c", &path, &network("n", "10.1.1.0/24"))
}

#[test]
fn a_call_with_too_few_open_files_says_so_and_leaves_nothing() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let mut refused = 0;
        for files in 5..24 {
            let limit = format!("-n {files}");
            for command in ["ADD", "STATUS", "DEL"] {
                let outcome = call(command, &netns).with_limit(&limit).run();
                if outcome.success {
                    continue;
                }
                let text = outcome.json.to_string();
                let reason = "Too many open files";
                assert!(text.contains(reason), "{files} {command}: {text}");
                // A file, STATUS, a service, the kernel; it is no defect, and nobody's namespace.
                let code = outcome.json["code"].as_u64().unwrap();
                let is_fitting = [5, 11, 50, 51, 105].contains(&code);
                assert!(is_fitting, "{files} {command}: {text}");
                refused += 1;
            }
            call("DEL", &netns).run().ok();
            assert_eq!(everything(&lab, &[netns.netns()]), before, "{files}");
        }
        assert!(refused > 0, "no limit was low enough");
    });
}

#[test]
fn a_limit_of_the_size_of_files_is_an_error_and_leaves_no_part_of_one() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        for command in ["ADD", "STATUS"] {
            let outcome = call(command, &netns).with_limit("-f 0").run();
            let text = outcome.json.to_string();
            assert!(!outcome.success, "{command}: {text}");
            assert!(text.contains("File too large"), "{command}: {text}");
            assert_eq!(everything(&lab, &[netns.netns()]), before, "{command}");
        }
        call("ADD", &netns).run().ok();
        // It notes nothing, and needs no note.
        call("DEL", &netns).with_limit("-f 0").run().ok();
        call("DEL", &netns).run().ok();
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}
