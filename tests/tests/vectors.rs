//! The committed vectors are what the library makes: a changed byte anywhere on the wire shows here.

#[test]
fn the_vectors_have_not_changed() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/v1.json");
    let committed: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        committed == sesame_tests::vectors::vectors(),
        "the wire has changed: that is a new version, or run `cargo run -p sesame-tests --bin vectors` before the first release"
    );
}
