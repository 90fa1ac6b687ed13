//! Linking in one call for each side, as the faces have it: the hello and the answer travel as one text of bytes.
//!
//! The faces get the digits and the confirmation on both sides together with the loop of requests. Until then a program that links devices
//! through a face compares nothing, and trusts whoever gives it the answer.

use sesame::{Client, Code, Error, LinkLeg, Linking};

/// On the primary: begins the link, confirms it, and gives hello and answer, with the hello's length before it.
pub(crate) fn link(client: &Client, code: &str) -> Result<Vec<u8>, Error> {
    let id = client.link_device(code)?.id;
    let leg = |leg| client.call(|core, context| core.link_leg(context, &id, leg));
    let hello = leg(LinkLeg::Hello)?.ok_or(Code::Internal)?;
    client.confirm_link(&id)?;
    let answer = leg(LinkLeg::Answer)?.ok_or(Code::Internal)?;
    let length = u32::try_from(hello.len()).map_err(|_| Code::Internal)?;
    Ok([length.to_be_bytes().as_slice(), &hello, &answer].concat())
}

/// On the new device: hears the hello, confirms it and takes the answer.
pub(crate) fn complete(linking: &Linking, joined: &[u8]) -> Result<Client, Error> {
    let Some((hello, answer)) = split(joined) else { return linking.complete(joined) };
    linking.hear_hello(hello)?;
    linking.confirm()?;
    linking.complete(answer)
}

fn split(joined: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = joined.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}
