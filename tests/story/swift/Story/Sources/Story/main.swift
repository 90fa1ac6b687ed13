// Plays the story of `tests/story/story.json`; `tests/story/README.md` says what each step does and prints.

import Foundation
import Outside

func play(_ path: String, in folder: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let script = try JSONSerialization.jsonObject(with: data) as! [String: Any]
    let (seed, now) = ((script["seed"] as! NSNumber).uint64Value, (script["now"] as! NSNumber).uint64Value)
    for (number, scene) in (script["scenes"] as! [[String: Any]]).enumerated() {
        sesame_test_outside(seed + UInt64(number), now)
        let told = Scene(name: scene["name"] as! String, number: number, folder: URL(fileURLWithPath: folder))
        for step in scene["steps"] as! [[String: Any]] { try told.play(Step(step)) }
        print(told.out.joined(separator: "\n"))
    }
}

let arguments = CommandLine.arguments
if arguments.count == 2 && arguments[1] == "peer" {
    try runPeer()
} else {
    try play(arguments[1], in: arguments[2])
}
