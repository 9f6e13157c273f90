"""The archive: data model, WARC records, storage, index, catalogue, extraction. Runs without Scrapy."""
