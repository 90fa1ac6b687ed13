//! Writes `tests/vectors/v1.json` again.

fn main() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    std::fs::create_dir_all(&folder).unwrap();
    let text = serde_json::to_string_pretty(&sesame_tests::vectors::vectors()).unwrap();
    std::fs::write(folder.join("v1.json"), text + "\n").unwrap();
}
