#!/usr/bin/env bash
# Makes SesameFFI.xcframework beside Package.swift, which takes it on Apple's systems. Untested: it needs macOS with Xcode.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=target/xcframework
rm -rf "$out" bindings/swift/SesameFFI.xcframework
export IPHONEOS_DEPLOYMENT_TARGET=13.0 MACOSX_DEPLOYMENT_TARGET=11.0

built() { # target
  rustup target add "$1" >&2
  cargo rustc --locked -p sesame-ffi --lib --release --no-default-features --features uniffi,wiping-allocator \
    --crate-type staticlib --target "$1" --target-dir "$out/build" >&2
  echo "$out/build/$1/release/libsesame_ffi.a"
}

joined() { # name, targets: one file for each platform, whatever the processor
  local name=$1 files=()
  shift
  for target in "$@"; do files+=("$(built "$target")"); done
  mkdir -p "$out/$name"
  lipo -create "${files[@]}" -output "$out/$name/libsesame_ffi.a"
}

joined ios aarch64-apple-ios
joined simulator aarch64-apple-ios-sim x86_64-apple-ios
joined macos aarch64-apple-darwin x86_64-apple-darwin

# A folder of its own, or the module map collides with that of another package.
headers=$out/Headers
mkdir -p "$headers/SesameFFI"
cp bindings/swift/Sources/SesameFFI/{SesameFFI.h,module.modulemap} "$headers/SesameFFI/"

args=()
for platform in ios simulator macos; do args+=(-library "$out/$platform/libsesame_ffi.a" -headers "$headers"); done
xcodebuild -create-xcframework "${args[@]}" -output bindings/swift/SesameFFI.xcframework
