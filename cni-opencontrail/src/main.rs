//! The CNI plugin binary: hands the outside world to the library and exits with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    cni_opencontrail::run()
}
