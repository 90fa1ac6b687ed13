//! A hand-over of the primary's part, as an app sees it (X 7).

use crate::ids::{DeviceId, HandoverId};

/// A hand-over that the primary has offered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HandoverView {
    /// The name of the hand-over, the same on both devices.
    pub id: HandoverId,
    /// The other device.
    pub device: DeviceId,
    /// 15 decimal digits. The app shows them, and goes on only if the user sees the same ones on the other device.
    pub digits: String,
}
