//! The program of the containers: it only waits. `build.rs` compiles it by itself, as a static program.

fn main() {
    loop {
        std::thread::park();
    }
}
