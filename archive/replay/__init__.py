"""The archive in a browser and in other tools: a server of mementos, TimeMaps, CDX and captured payloads."""
