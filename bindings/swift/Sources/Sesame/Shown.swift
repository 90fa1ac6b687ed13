import Foundation

func shown(_ bytes: Data?) -> String {
    bytes.map { "\($0.count) bytes" } ?? "nil"
}

func shown(_ text: String?) -> String {
    text.map { "\($0.count) characters" } ?? "nil"
}

func shown(_ items: [Data]?) -> String {
    items.map { "\($0.count) items" } ?? "nil"
}
