// Plays the story of `tests/story/story.json`; `tests/story/README.md` says what each step does and prints.

import Foundation
import Outside

struct Script: Decodable {
    struct Scene: Decodable {
        let name: String
        let steps: [Step]
    }

    let seed, now: UInt64
    let scenes: [Scene]
}

func play(_ path: String, in folder: String) throws {
    let script = try JSONDecoder().decode(Script.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    for (number, scene) in script.scenes.enumerated() {
        sesame_test_outside(script.seed + UInt64(number), script.now)
        let told = Scene(name: scene.name, number: number, folder: URL(fileURLWithPath: folder))
        try scene.steps.forEach(told.play)
        print(told.out.joined(separator: "\n"))
    }
}

let arguments = CommandLine.arguments
if arguments.count == 2 && arguments[1] == "peer" {
    try runPeer()
} else {
    try play(arguments[1], in: arguments[2])
}
