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

let arguments = CommandLine.arguments
let script = try JSONDecoder().decode(Script.self, from: Data(contentsOf: URL(fileURLWithPath: arguments[1])))
for (number, scene) in script.scenes.enumerated() {
    sesame_test_outside(script.seed + UInt64(number), script.now)
    let told = Scene(name: scene.name, number: number, folder: URL(fileURLWithPath: arguments[2]))
    try scene.steps.forEach(told.play)
    print(told.out.joined(separator: "\n"))
}
