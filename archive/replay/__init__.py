"""The archive in a browser."""
