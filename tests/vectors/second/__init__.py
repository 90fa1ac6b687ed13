"""A second implementation of the receiving side, written from docs/wire.md alone. It shares no code with the library."""
