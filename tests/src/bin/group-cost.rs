//! Draws `docs/group-cost.svg` again.

fn main() {
    let to = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/group-cost.svg");
    std::fs::write(to, sesame_tests::curve::svg()).unwrap();
}
