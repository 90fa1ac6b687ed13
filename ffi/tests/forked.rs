//! A child of a fork has its parent's locks and its parent's randomness, so no call works there.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use sesame::enter;
use sesame_core::error::Code;

// POSIX. `_exit` runs nothing of the parent's, which a test's harness in the child would.
unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(child: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(status: i32) -> !;
}

/// The place of a code among all codes, which fits an exit status, as the code's number does not.
fn place(code: Code) -> i32 {
    i32::try_from(Code::ALL.iter().position(|known| *known == code).unwrap()).unwrap()
}

#[test]
#[cfg_attr(miri, ignore = "there is no fork there")]
fn a_call_in_the_child_of_a_fork_is_refused() {
    assert_eq!(enter(), Ok(()));
    // SAFETY: the child asks one question, which takes no lock and allocates nothing, and leaves.
    let child = unsafe { fork() };
    assert!(child >= 0, "the system forks");
    if child == 0 {
        let answer = enter().map_or_else(|error| place(error.code), |()| 255);
        // SAFETY: ends the child.
        unsafe { _exit(answer) };
    }
    let mut status = 0;
    // SAFETY: the child is this test's, and the pointer leads to the local above.
    assert_eq!(unsafe { waitpid(child, &raw mut status, 0) }, child);
    let (signal, exit) = (status & 0x7f, status >> 8);
    assert_eq!((signal, Code::ALL.get(usize::try_from(exit).unwrap())), (0, Some(&Code::Forked)));
    assert_eq!(enter(), Ok(()), "the parent goes on");
}
