"""Replay as a browser shows it: Debian's chromium, driven by Playwright."""
