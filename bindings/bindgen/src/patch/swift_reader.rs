//! Swift: what crosses is read where it lies.
//!
//! UniFFI reads through a `Data` around the library's bytes: each number is a copy of a range of it, each text an array first. That is a
//! tenth of a microsecond and more for every field.

use super::{Text, between};

const BEGIN: &str = "fileprivate func createReader(data: Data)";
const END: &str = "// Reads a float at the current offset.\nfileprivate func readFloat(";

const READER: &str = "\
/// Reads what crosses. Whoever makes it frees the bytes when it has read.
struct UniffiReader {
    let bytes: UnsafeRawBufferPointer
    var offset = 0
}

fileprivate func createReader(_ buffer: RustBuffer) -> UniffiReader {
    UniffiReader(bytes: UnsafeRawBufferPointer(start: buffer.data, count: Int(buffer.len)))
}

// Reads an integer at the current offset, in big-endian order, and advances the offset.
fileprivate func readInt<T: FixedWidthInteger>(_ reader: inout UniffiReader) throws -> T {
    let bytes = try readBytes(&reader, count: MemoryLayout<T>.size)
    var value: T = 0
    withUnsafeMutableBytes(of: &value) { $0.copyMemory(from: bytes) }
    return T(bigEndian: value)
}

// The bytes at the current offset, where they lie.
fileprivate func readBytes(_ reader: inout UniffiReader, count: Int) throws -> UnsafeRawBufferPointer {
    let end = reader.offset + count
    guard count >= 0, end <= reader.bytes.count else {
        throw UniffiInternalError.bufferOverflow
    }
    let bytes = UnsafeRawBufferPointer(rebasing: reader.bytes[reader.offset..<end])
    reader.offset = end
    return bytes
}

";

pub(super) fn patch(text: &mut Text) -> Result<(), String> {
    let old = between(&text.text, BEGIN, END).ok_or("Swift's reader is not laid out as it was")?.to_owned();
    text.once(&format!("{BEGIN}{old}{END}"), &format!("{READER}{END}"))?;
    let begin = "fileprivate extension Data {\n    init(rustBuffer: RustBuffer) {";
    text.cut(begin, "        )\n    }\n}\n\n")?;
    text.once("createReader(data: Data(rustBuffer: buf))", "createReader(buf)")?;
    text.once("reader.offset < reader.data.count", "reader.offset < reader.bytes.count")?;
    text.all("(data: Data, offset: Data.Index)", "UniffiReader")
}
