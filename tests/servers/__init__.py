"""Real servers for the tests, on loopback, on free ports, always stopped."""
