//! How a tree becomes a call's result, and how that ends.

use super::{
    boundary::sesame_error,
    handle::{Handle, sesame_result},
    input::Output,
    status::sesame_status,
    tree::Tree,
};

/// Gives a call's result: the view is made inside a tree, which gets a handle.
pub(super) fn give<V>(result: Output<sesame_result>, view: Output<V>, make: impl FnOnce(&mut Tree) -> V) {
    let mut tree = Tree::default();
    let made = make(&mut tree);
    result.put(sesame_result::new(tree));
    view.put(made);
}

/// Frees what a call gave, and wipes its bytes. All pointers and slices of its view are void from then on. 0 is passed over.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_result_free(result: sesame_result) -> sesame_status {
    enter!(core::ptr::null_mut::<sesame_error>(), { result.free() })
}
