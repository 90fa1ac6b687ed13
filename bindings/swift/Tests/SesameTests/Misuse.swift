import Foundation
import Sesame
import XCTest

/// More than a hundred ways to hold it wrongly, as rows of a table: the call, the mistake, what the user sees. None of them is silence, a crash
/// or an endless loop.
class Misuse: XCTestCase {
    let text = Data("x".utf8)
    let long = String(repeating: "x", count: Limits.maxUserId + 1)

    /// The mistake throws this code.
    func row<Value>(_ call: String, _ mistake: String, _ code: Code, line: UInt = #line, _ act: (World) throws -> Value) {
        do {
            let gave = try act(try World())
            XCTFail("\(call), \(mistake): no error, but \(gave)", line: line)
        } catch let error as SesameError {
            XCTAssertEqual(error.code, code, "\(call), \(mistake): \(error)", line: line)
            print("| \(call) | \(mistake) | \(error) |")
        } catch {
            XCTFail("\(call), \(mistake): \(error)", line: line)
        }
    }

    /// The mistake is no error, and the user sees something else.
    func shows(_ call: String, _ mistake: String, _ what: String, line: UInt = #line, _ holds: (World) throws -> Bool) {
        do {
            let holds = try holds(try World())
            XCTAssertTrue(holds, "\(call), \(mistake): not \(what)", line: line)
            print("| \(call) | \(mistake) | \(what) |")
        } catch {
            XCTFail("\(call), \(mistake): \(error)", line: line)
        }
    }
}
