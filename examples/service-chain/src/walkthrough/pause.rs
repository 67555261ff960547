//! What the containers run. Compiled by itself, as a static program.

fn main() {
    loop {
        std::thread::park();
    }
}
