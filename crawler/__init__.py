"""The crawler: Scrapy machinery around the archive, and the command line that puts the two together."""
